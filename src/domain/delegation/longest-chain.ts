/**
 * The longest chain of delegations that carries something. Computed exactly: for each capability, what a chain of so many
 * links can carry to each agent is the union over its last links, because intersection distributes over union.
 */

import { allowsUse } from '../capability/capability-set.ts';
import { intersectResources, type Resources, unionResources } from '../capability/resource.ts';
import type { AgentId, EdgeGrant } from './facts.ts';
import { getOrInsert } from './get-or-insert.ts';

/** A link that a chain may use. */
export interface Link {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly grant: EdgeGrant;
}

/**
 * Links of the longest chain over `links` that ends with an agent that may invoke what is carried. A chain may come by an
 * agent twice; it is never longer than the least depth of its links.
 *
 * @returns 0 when nothing is carried anywhere.
 */
export function longestChain(links: readonly Link[]): number {
  const deepest = Math.max(0, ...links.map(({ grant }) => grant.maxDepth));
  for (let depth = deepest; depth > 0; depth--) {
    const usable = byCapability(links.filter(({ grant }) => grant.maxDepth >= depth));
    if ([...usable].some(([name, those]) => isReached(name, those, depth))) return depth;
  }
  return 0;
}

function byCapability(links: readonly Link[]): ReadonlyMap<string, readonly Link[]> {
  const found = new Map<string, Link[]>();
  for (const link of links) {
    for (const { name } of link.grant.capabilities) getOrInsert(found, name, () => []).push(link);
  }
  return found;
}

/** Whether some chain of exactly `depth` links carries the capability to somebody who may invoke it. */
function isReached(name: string, links: readonly Link[], depth: number): boolean {
  let reached: ReadonlyMap<AgentId, Resources> | undefined;
  for (let length = 1; length <= depth; length++) {
    const next = new Map<AgentId, Resources>();
    for (const { from, to, grant } of links) {
      const capability = grant.capabilities.find((each) => each.name === name);
      if (capability === undefined || (reached !== undefined && !reached.has(from))) continue;
      if (length === depth && !allowsUse(capability.use, 'Invoke')) continue;
      const carried = intersectResources(reached?.get(from), capability.resources);
      if (carried?.length === 0) continue;
      next.set(to, next.has(to) ? unionResources(next.get(to), carried) : carried);
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return true;
}
