/** What of the effects of an edit is legal and worth knowing, in words. */

import type { AgentId } from '../delegation/facts.ts';
import type { DelegationGraph } from '../delegation/graph.ts';
import { mayOriginate } from '../delegation/originate.ts';
import type { Effects, Loss } from './effects.ts';
import { gainInWords } from './gains.ts';
import { TravelPaths } from './travel-path.ts';
import type { Trial } from './trial.ts';
import { agentName, namedSome } from './wording.ts';

/** One sentence without its full stop. A function: it is asked only for what is shown. */
export type Warning = () => string;

/** What effects are told from. */
export interface Teller {
  readonly graph: DelegationGraph;
  /** `tokens.originate` of an agent. */
  readonly originateOf: (id: AgentId) => string | undefined;
}

/** An edit that was tried out. */
export interface Told {
  readonly trial: Trial;
  readonly effects: Effects;
  /** Of the people who read it; undefined for those of the cluster. */
  readonly namespace: string | undefined;
  /** Whether all that the edit touches was looked at. */
  readonly isAll: boolean;
}

/** Who may start no chain any more, then who gains what, then whether there was more to look at. */
export function effectWarnings(told: Told, teller: Teller): readonly Warning[] {
  const { trial, effects, namespace, isAll } = told;
  const gains = { edges: trial, paths: new TravelPaths(trial), namespace };
  return [
    ...originateWarnings(told, teller),
    ...effects.gains.map((gain) => () => gainInWords(gain, gains)),
    ...(isAll
      ? []
      : [() => 'this touches more edges than one review looks at: what is said here is not all']),
  ];
}

/** How many edges lose what. */
export function lossWarnings(losses: readonly Loss[]): readonly Warning[] {
  if (losses.length === 0) return [];
  const names = [...new Set(losses.flatMap(({ lost }) => lost.map(({ name }) => name)))].sort();
  const all = losses.filter(({ isAll }) => isAll).length;
  const edges = losses.length === 1 ? '1 edge loses' : `${losses.length} edges lose`;
  const nothing = all === 0 ? '' : `, and ${all} of them would grant nothing any more`;
  return [() => `${edges} ${namedSome(names)} in part or altogether${nothing}`];
}

/** An agent that somebody may call acts for its caller: with `Auto` the first edge into it ends its own chains. */
function originateWarnings(
  { trial, effects, namespace }: Told,
  { graph, originateOf }: Teller,
): readonly Warning[] {
  const told = new Set<AgentId>();
  return effects.newEdges.flatMap(({ from, to }) => {
    if (told.has(to)) return [];
    told.add(to);
    if (isDelegatedTo(to, graph) || graph.holder(to)?.facts.isServed !== true) return [];
    const originate = originateOf(to);
    const isTurnedOff = mayOriginate(originate, false) && !mayOriginate(originate, true);
    if (!isTurnedOff || !trial.delegates(to)) return [];
    const [caller, agent] = [from, to].map((id) => agentName(id, namespace));
    return () =>
      `${agent} may start no chain of its own any more: the edge from ${caller} is the first into it, and its tokens.originate is Auto`;
  });
}

function isDelegatedTo(to: AgentId, graph: DelegationGraph): boolean {
  for (const from of graph.sourcesOf(to)) if (graph.edge(from, to) !== undefined) return true;
  return false;
}
