/**
 * What an edit of a policy may not ask for, one check for each sort of limit. A check looks at one capability that is new,
 * and says all that it lacks.
 */

import type { Capability } from '../capability/capability.ts';
import { allowsUse } from '../capability/capability-set.ts';
import { minimalResources, resourcesBeyond, resourcesContain } from '../capability/resource.ts';
import type { NamespaceLimits } from '../delegation/boundary.ts';
import type { Holder } from '../delegation/edge.ts';
import { agentName, leftInWords, namedSome, quoted } from './wording.ts';

/** What is lacking of a capability: one of its resources, or all of it. */
export interface Lack {
  readonly resource?: string;
  /** Who lacks what; without the field and the full stop. */
  readonly why: string;
  /** One sentence without its full stop. */
  readonly wayOut: string;
}

/** The agents of one rule and their limits. */
export interface RuleSituation {
  /** Of the policy, and of the delegating agent with it. */
  readonly namespace: string;
  /** Undefined when it does not exist. */
  readonly source: Holder | undefined;
  /** Those that exist. */
  readonly targets: readonly Holder[];
  /** Whether all of them exist. */
  readonly areAllKnown: boolean;
  /** Namespaces of the targets that exist. */
  readonly targetNamespaces: readonly string[];
  readonly limitsOf: (namespace: string) => NamespaceLimits;
}

/** Looks at a capability with the resources that are new; without any it is asked for by its name alone. */
export type Check = (wanted: Capability, situation: RuleSituation) => readonly Lack[];

/** In the order in which they are told. */
export const CHECKS: readonly Check[] = [delegatorHolds, someTargetHolds, boundariesLeave];

/** The delegating agent holds it for Delegate. */
function delegatorHolds(
  { name, resources }: Capability,
  { namespace, source }: RuleSituation,
): readonly Lack[] {
  if (source === undefined) return [];
  const who = agentName(source.id, namespace);
  const own = source.ceiling.get(name);
  if (own === undefined) {
    const held = [...source.ceiling.values()].filter(({ use }) => allowsUse(use, 'Delegate'));
    const why = `${who} does not hold it for Delegate (${itHolds(held.map((each) => each.name))})`;
    return [
      { why, wayOut: `Add it to the AgentIdentity ${who} ${needsGrant(name)}, or take it out of the rule` },
    ];
  }
  if (!allowsUse(own.use, 'Delegate')) {
    const why = `${who} holds it for ${own.use} only and may not pass it on`;
    const wayOut = `Take "use" out of its entry in the AgentIdentity ${who} ${needsGrant(name)}, or take it out of the rule`;
    return [{ why, wayOut }];
  }
  return resourcesBeyond(own.resources, resources ?? []).map((resource) => ({
    resource,
    why: `${who} holds ${name} on ${quoted(own.resources)} only`,
    wayOut: `Narrow the resources of the rule, or widen them in the AgentIdentity ${who} ${needsGrant(name)}`,
  }));
}

/** One of the targets holds it, unless another one may come that does. */
function someTargetHolds(
  { name, resources = [] }: Capability,
  { namespace, targets, areAllKnown }: RuleSituation,
): readonly Lack[] {
  if (!areAllKnown) return [];
  const holding = targets.flatMap(({ ceiling }) => ceiling.get(name) ?? []);
  if (holding.some((each) => resourcesBeyond(each.resources, resources).length === 0)) return [];
  const names = targets.map(({ id }) => agentName(id, namespace));
  const [only = ''] = names;
  const isOne = names.length === 1;
  const whose = `the AgentIdentity ${isOne ? only : 'of a target'} ${needsGrant(name)}`;
  if (holding.length === 0) {
    const held = targets.flatMap(({ ceiling }) => [...ceiling.keys()]);
    const why = isOne
      ? `${only} does not hold it (${itHolds(held)})`
      : `no target of the rule holds it (${namedSome(names)})`;
    return [{ why, wayOut: `Add it to ${whose}, or take it out of the rule` }];
  }
  const held = minimalResources(holding.flatMap((each) => each.resources ?? []));
  const who = isOne ? `${only} holds` : `the targets of the rule (${namedSome(names)}) hold`;
  return resourcesBeyond(held, resources).map((resource) => ({
    resource,
    why: `${who} ${name} on ${quoted(held)} only`,
    wayOut: `Narrow the resources of the rule, or widen them in ${whose}`,
  }));
}

/** The boundaries of the delegating agent's namespace leave it, and those of the namespace of some target that exists. */
function boundariesLeave(
  { name, resources }: Capability,
  { namespace, targetNamespaces, limitsOf }: RuleSituation,
): readonly Lack[] {
  const [target] = targetNamespaces;
  const lacks = new Map<string, Lack>();
  for (const resource of resources ?? [undefined]) {
    const isLeft = (where: string): boolean => leaves(limitsOf(where), name, resource);
    const where = isLeft(namespace) ? (targetNamespaces.some(isLeft) ? undefined : target) : namespace;
    if (where === undefined) continue;
    const lack = boundaryLack({ where, limits: limitsOf(where), name, resource });
    lacks.set(`${lack.resource} ${lack.why}`, lack);
  }
  return [...lacks.values()];
}

function leaves({ capabilities }: NamespaceLimits, name: string, resource: string | undefined): boolean {
  if (capabilities === undefined) return true;
  const left = capabilities.get(name);
  return left !== undefined && (resource === undefined || resourcesContain(left.resources, resource));
}

function boundaryLack({
  where,
  limits,
  name,
  resource,
}: {
  readonly where: string;
  readonly limits: NamespaceLimits;
  readonly name: string;
  readonly resource: string | undefined;
}): Lack {
  const left = limits.capabilities?.get(name);
  const why = leftInWords(where, limits, name);
  const wayOut =
    limits.boundaries.length === 0
      ? `Let a CapabilityBoundary select namespace ${where}, or take it out of the rule`
      : 'Widen the boundary, or take it out of the rule';
  return { ...(left === undefined || resource === undefined ? {} : { resource }), why, wayOut };
}

function itHolds(names: readonly string[]): string {
  return `it holds ${names.length === 0 ? 'nothing' : namedSome(names)}`;
}

function needsGrant(name: string): string {
  return `(needs verb grant on capabilities.agenttrust.dev/${name})`;
}
