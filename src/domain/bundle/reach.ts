/**
 * What can reach a namespace: the agents and edges of every chain of delegations that can end there. A chain of so many calls
 * needs edges that allow so long a chain, which keeps the bundle of a namespace small in a large cluster.
 */

import { consents } from '../delegation/edge.ts';
import type { AgentId, EffectiveEdge } from '../delegation/facts.ts';
import type { DelegationGraph } from '../delegation/graph.ts';
import { TOKEN_LIMITS } from '../token/claims.ts';

/** What is needed of the delegation graph. */
export type ReachGraph = Pick<DelegationGraph, 'edge' | 'edgesOutOf' | 'sourcesOf' | 'rules' | 'holder'>;

/** What is looked at. */
export interface ReachInput {
  readonly graph: ReachGraph;
  /** The agents of the namespace. */
  readonly own: Iterable<AgentId>;
  /** Cut off: the graph has no edges of it, so its rules say whom it could reach. */
  readonly isSuspended: (agent: AgentId) => boolean;
}

/** What was found. Lists are sorted. */
export interface Reach {
  /** Edges of chains that can end in the namespace, and those that begin there. */
  readonly edges: readonly EffectiveEdge[];
  /** Agents that call on the way, those that would if they were not cut off, and those of the namespace. */
  readonly signers: readonly AgentId[];
  /** All agents that are named: these, and the ends of the edges. */
  readonly agents: readonly AgentId[];
}

/** An edge that there is, or would be if nobody was cut off. */
interface Step {
  readonly from: AgentId;
  readonly maxDepth: number;
  readonly edge: EffectiveEdge | undefined;
}

/** Gives the steps that end at an agent. */
type StepsInto = (to: AgentId) => Iterable<Step>;

/** Finds it, in time of at most 16 times the number of edges. */
export function reachOf(input: ReachInput): Reach {
  const { graph, isSuspended } = input;
  const own = [...input.own];
  const steps = walk(own, (to) => edgesInto(to, graph));
  const edges = new Set(steps.map(({ edge }) => edge).filter((edge) => edge !== undefined));
  for (const agent of own) for (const edge of graph.edgesOutOf(agent)) edges.add(edge);
  const cutOff = walk(own, (to) => stepsInto(to, input)).filter(({ from }) => isSuspended(from));
  const signers = new Set([...own, ...[...steps, ...cutOff].map(({ from }) => from)]);
  const agents = new Set([...signers, ...[...edges].map(({ to }) => to)]);
  return { edges: [...edges].sort(byEnds), signers: [...signers].sort(), agents: [...agents].sort() };
}

/** All steps of chains that end at one of `own`, level by level; a step may come more than once. */
function walk(own: readonly AgentId[], stepsTo: StepsInto): readonly Step[] {
  const found: Step[] = [];
  /** By agent: the longest chain that the calls from there to an end allow, over so many calls or fewer. */
  const allowed = new Map<AgentId, number>(own.map((agent) => [agent, TOKEN_LIMITS.depth]));
  let level: ReadonlyMap<AgentId, number> = new Map(allowed);
  for (let calls = 1; calls <= TOKEN_LIMITS.depth && level.size > 0; calls++) {
    const next = new Map<AgentId, number>();
    for (const [to, below] of level) {
      if (below < calls) continue;
      for (const step of stepsTo(to)) {
        if (step.maxDepth < calls) continue;
        found.push(step);
        const longest = Math.min(below, step.maxDepth);
        if (longest > Math.max(allowed.get(step.from) ?? 0, next.get(step.from) ?? 0))
          next.set(step.from, longest);
      }
    }
    for (const [agent, longest] of next) allowed.set(agent, longest);
    level = next;
  }
  return found;
}

function* edgesInto(to: AgentId, graph: ReachGraph): Iterable<Step> {
  for (const from of graph.sourcesOf(to)) {
    const edge = graph.edge(from, to);
    if (edge !== undefined) yield { from, maxDepth: deepest(edge.grants), edge };
  }
}

function* stepsInto(to: AgentId, { graph, isSuspended }: ReachInput): Iterable<Step> {
  const isCut = isSuspended(to);
  for (const from of graph.sourcesOf(to)) {
    const edge = graph.edge(from, to);
    if (edge !== undefined) yield { from, maxDepth: deepest(edge.grants), edge };
    else if ((isCut || isSuspended(from)) && isAccepted(graph, from, to))
      yield { from, maxDepth: deepest(graph.rules(from, to)), edge };
  }
}

function deepest(limits: readonly { readonly maxDepth: number }[]): number {
  return limits.reduce((most, { maxDepth }) => Math.max(most, maxDepth), 0);
}

/** Without it, anybody could fill the bundles of others with agents that are cut off. */
function isAccepted(graph: ReachGraph, from: AgentId, to: AgentId): boolean {
  const [source, target] = [graph.holder(from), graph.holder(to)];
  return source !== undefined && target !== undefined && consents(target.facts, source.facts);
}

function byEnds(a: EffectiveEdge, b: EffectiveEdge): number {
  if (a.from === b.from) return a.to < b.to ? -1 : 1;
  return a.from < b.from ? -1 : 1;
}
