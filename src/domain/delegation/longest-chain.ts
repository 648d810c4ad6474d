/**
 * The longest chain of delegations that carries something. Computed exactly: for each capability, what a chain of so many
 * links can carry to each agent is the union over its last links, because intersection distributes over union.
 */

import type { Capability } from '../capability/capability.ts';
import { allowsUse, isSameResources } from '../capability/capability-set.ts';
import { intersectResources, minimalResources, type Resources } from '../capability/resource.ts';
import type { AgentId, EdgeGrant } from './facts.ts';
import { getOrInsert } from './get-or-insert.ts';

/** A link that a chain may use. */
export interface Link {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly grant: EdgeGrant;
}

/** One capability over one link. */
interface Hop {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly capability: Capability;
}

/** What chains of one length can carry to each agent that they reach. */
type Carried = ReadonlyMap<AgentId, Resources>;

/**
 * Links of the longest chain over `links` that ends with an agent that may invoke what is carried. A chain may come by an
 * agent twice; it is never longer than the least depth of its links.
 *
 * @returns 0 when nothing is carried anywhere.
 */
export function longestChain(links: readonly Link[]): number {
  let longest = 0;
  const depths = [...new Set(links.map(({ grant }) => grant.maxDepth))].sort((a, b) => b - a);
  for (const depth of depths) {
    if (depth <= longest) break;
    for (const hops of hopsByCapability(links, depth).values()) {
      longest = Math.max(longest, reach(hops, depth));
      if (longest === depth) return depth;
    }
  }
  return longest;
}

/** Of the links that a chain of `depth` may use. */
function hopsByCapability(links: readonly Link[], depth: number): ReadonlyMap<string, readonly Hop[]> {
  const found = new Map<string, Hop[]>();
  for (const { from, to, grant } of links) {
    if (grant.maxDepth < depth) continue;
    for (const capability of grant.capabilities)
      getOrInsert(found, capability.name, () => []).push({ from, to, capability });
  }
  return found;
}

/** Links of the longest chain of at most `depth` that carries the capability to somebody who may invoke it. */
function reach(hops: readonly Hop[], depth: number): number {
  const sources = new Set(hops.map(({ from }) => from));
  let longest = 0;
  let carried: Carried | undefined;
  for (let length = 1; length <= depth; length++) {
    const { next, isInvocable } = extend(hops, carried, sources);
    if (isInvocable) longest = length;
    if (next.size === 0) return longest;
    // What goes round in circles goes on doing so.
    if (carried !== undefined && isSame(next, carried)) return isInvocable ? depth : longest;
    carried = next;
  }
  return longest;
}

/** Chains that are one link longer; from nothing, chains of one link. Only those that end with one of `sources` go on. */
function extend(
  hops: readonly Hop[],
  carried: Carried | undefined,
  sources: ReadonlySet<AgentId>,
): { readonly next: Carried; readonly isInvocable: boolean } {
  const arriving = new Map<AgentId, Resources[]>();
  let isInvocable = false;
  for (const { from, to, capability } of hops) {
    if (carried !== undefined && !carried.has(from)) continue;
    const resources = intersectResources(carried?.get(from), capability.resources);
    if (resources?.length === 0) continue;
    isInvocable ||= allowsUse(capability.use, 'Invoke');
    if (sources.has(to)) getOrInsert(arriving, to, () => []).push(resources);
  }
  return { next: new Map([...arriving].map(([to, lists]) => [to, unionOf(lists)])), isInvocable };
}

function unionOf(lists: readonly Resources[]): Resources {
  const patterns = new Set<string>();
  for (const list of new Set(lists)) {
    if (list === undefined) return undefined;
    for (const pattern of list) patterns.add(pattern);
  }
  return minimalResources([...patterns]);
}

function isSame(a: Carried, b: Carried): boolean {
  return (
    a.size === b.size && [...a].every(([id, resources]) => b.has(id) && isSameResources(b.get(id), resources))
  );
}
