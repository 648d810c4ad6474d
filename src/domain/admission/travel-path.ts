/** The shortest chain of delegations by which a capability comes to an agent. */

import { allowsUse } from '../capability/capability-set.ts';
import { intersectResources, type Resources } from '../capability/resource.ts';
import type { AgentId, EffectiveEdge } from '../delegation/facts.ts';

/** The last link of the chain, which need not be there yet, and what travels over it. */
export interface LastLink {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly name: string;
  readonly resources: Resources;
  /** Links of a chain with this one at most. */
  readonly maxDepth: number;
}

/** A chain from its first agent on, with what is left of the resources and of the depth. */
interface Chain {
  readonly agents: readonly AgentId[];
  readonly resources: Resources;
  readonly maxDepth: number;
}

/** Where agents and edges are looked up. */
export interface Upstream {
  /** Agents that rules let delegate to `to`, whether anything is granted or not. */
  sourcesOf(to: AgentId): Iterable<AgentId>;
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined;
}

/** So many edges are looked at; there are more only around agents that everybody calls. */
const MAX_LOOKED_AT = 500;

/**
 * Walks up from `from`, breadth first, over edges that carry some of what travels, may pass it on and allow a chain of
 * that length, to the nearest agent into which there is no such edge. Every depth is 8 at most, and so is the chain.
 *
 * @returns The agents of the chain, first agent first; `from` and `to` alone where what travels only goes in circles, or
 *   where there is too much to look at.
 */
export function travelPath(
  graph: Upstream,
  { from, to, name, resources, maxDepth }: LastLink,
): readonly AgentId[] {
  const seen = new Set<AgentId>([from, to]);
  const chains: Chain[] = [{ agents: [from, to], resources, maxDepth }];
  let looked = 0;
  for (const chain of chains) {
    const [first = from] = chain.agents;
    const sources = [...graph.sourcesOf(first)];
    looked += sources.length;
    if (looked > MAX_LOOKED_AT) break;
    const longer = sources
      .sort()
      .flatMap((source) => prolonged(chain, graph.edge(source, first), name) ?? []);
    if (longer.length === 0) return chain.agents;
    for (const each of longer) {
      const [source = from] = each.agents;
      if (!seen.has(source)) chains.push(each);
      seen.add(source);
    }
  }
  return [from, to];
}

/** The chain with one more link before it, by the first grant that carries something. */
function prolonged(chain: Chain, edge: EffectiveEdge | undefined, name: string): Chain | undefined {
  if (edge === undefined) return undefined;
  for (const grant of edge.grants) {
    const maxDepth = Math.min(chain.maxDepth, grant.maxDepth);
    if (maxDepth < chain.agents.length) continue;
    const held = grant.capabilities.find((capability) => capability.name === name);
    if (held === undefined || !allowsUse(held.use, 'Delegate')) continue;
    const resources = intersectResources(chain.resources, held.resources);
    if (resources?.length !== 0) return { agents: [edge.from, ...chain.agents], resources, maxDepth };
  }
  return undefined;
}
