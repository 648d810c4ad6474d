/** How agents, resources and lists are named to people. */

import type { Resources } from '../capability/resource.ts';
import type { NamespaceLimits } from '../delegation/boundary.ts';
import type { AgentId } from '../delegation/facts.ts';

/** So many of a list are named. */
const MAX_NAMED = 5;

/** As people of `namespace` name an agent: bare when it is one of theirs. */
export function agentName(id: AgentId, namespace: string | undefined): string {
  return namespace !== undefined && id.startsWith(`${namespace}/`) ? id.slice(namespace.length + 1) : id;
}

/** The first of a list, and how many more there are. */
export function namedSome(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Resources between quotation marks. */
export function quoted(resources: Resources): string {
  return resources === undefined ? 'every resource' : namedSome(resources.map((each) => `"${each}"`));
}

/** What the boundaries of a namespace leave of a capability that they do not leave as a whole. */
export function leftInWords(
  namespace: string,
  { boundaries, capabilities }: NamespaceLimits,
  name: string,
): string {
  if (boundaries.length === 0) {
    return `agents of namespace ${namespace} hold nothing, because boundary.required is set and no CapabilityBoundary selects it`;
  }
  const left = capabilities?.get(name);
  const what = left === undefined ? `no ${name}` : `${name} on ${quoted(left.resources)} only`;
  return `CapabilityBoundary ${namedSome(boundaries)} leaves ${what} to agents of namespace ${namespace}`;
}
