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

/** A chain from its first agent on to `from`, with what is left of the resources and of the depth. */
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

/** The chain that was found, and the agents that were come by; a chain may not go through its last agent. */
interface Found {
  readonly link: LastLink;
  readonly agents: readonly AgentId[];
  readonly seen: ReadonlySet<AgentId>;
}

/** Looks for chains over edges that stay as they are. */
export class TravelPaths {
  readonly #graph: Upstream;
  #last: Found | undefined;

  constructor(graph: Upstream) {
    this.#graph = graph;
  }

  /** What {@link travelPath} finds. What comes to an agent is looked for once for all that it is handed on to in a row. */
  of(link: LastLink): readonly AgentId[] {
    const last = this.#last !== undefined && isSameSource(this.#last.link, link) ? this.#last : undefined;
    this.#last = last ?? findChain(this.#graph, link);
    const { agents, seen } = this.#last;
    return seen.has(link.to) ? travelPath(this.#graph, link) : [...agents, link.to];
  }
}

function isSameSource(a: LastLink, b: LastLink): boolean {
  return a.from === b.from && a.name === b.name && a.resources === b.resources && a.maxDepth === b.maxDepth;
}

/**
 * Walks up from `from`, breadth first, over edges that carry some of what travels, may pass it on and allow a chain of
 * that length, to the nearest agent into which there is no such edge. Every depth is 8 at most, and so is the chain.
 *
 * @returns The agents of the chain, first agent first; `from` and `to` alone where what travels only goes in circles, or
 *   where there is too much to look at.
 */
export function travelPath(graph: Upstream, link: LastLink): readonly AgentId[] {
  return [...findChain(graph, link, link.to).agents, link.to];
}

/** The chain as far as `from`; it does not go through `without`. */
function findChain(graph: Upstream, link: LastLink, without?: AgentId): Found {
  const { from, name, resources, maxDepth } = link;
  const seen = new Set<AgentId>([from]);
  const chains: Chain[] = [{ agents: [from], resources, maxDepth }];
  let looked = 0;
  for (const chain of chains) {
    const [first = from] = chain.agents;
    const longer: Chain[] = [];
    for (const source of graph.sourcesOf(first)) {
      looked += 1;
      if (looked > MAX_LOOKED_AT) return { link, agents: [from], seen };
      const each = prolonged(chain, graph.edge(source, first), name);
      if (each !== undefined) longer.push(each);
    }
    if (longer.length === 0) return { link, agents: chain.agents, seen };
    for (const each of longer.sort(byFirst)) {
      const [source = from] = each.agents;
      if (source !== without && !seen.has(source)) chains.push(each);
      seen.add(source);
    }
  }
  return { link, agents: [from], seen };
}

function byFirst({ agents: [a = '/'] }: Chain, { agents: [b = '/'] }: Chain): number {
  return a < b ? -1 : 1;
}

/** The chain with one more link before it, by the first grant that carries something. */
function prolonged(chain: Chain, edge: EffectiveEdge | undefined, name: string): Chain | undefined {
  if (edge === undefined) return undefined;
  for (const grant of edge.grants) {
    const maxDepth = Math.min(chain.maxDepth, grant.maxDepth);
    if (maxDepth <= chain.agents.length) continue;
    const held = grant.capabilities.find((capability) => capability.name === name);
    if (held === undefined || !allowsUse(held.use, 'Delegate')) continue;
    const resources = intersectResources(chain.resources, held.resources);
    if (resources?.length !== 0) return { agents: [edge.from, ...chain.agents], resources, maxDepth };
  }
  return undefined;
}
