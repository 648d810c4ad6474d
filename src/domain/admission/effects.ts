/** What an edit would change over the edges that it touches: who gains and who loses. */

import type { EffectiveEdge } from '../delegation/facts.ts';
import type { DelegationGraph } from '../delegation/graph.ts';
import type { Pair } from '../delegation/rule-index.ts';
import { type Gain, GainFinder } from './gains.ts';
import type { Trial } from './trial.ts';

/** What was found. */
export interface Effects {
  readonly gains: readonly Gain[];
  /** Edges where there was none. */
  readonly newEdges: readonly EffectiveEdge[];
}

/** What one edge would not grant any more. */
export interface Loss {
  readonly lost: readonly Gain[];
  /** Whether nothing would be left of it. */
  readonly isAll: boolean;
}

/** Compares the edges between `pairs` as they are with what they would be. */
export function effectsOf(graph: DelegationGraph, trial: Trial, pairs: readonly Pair[]): Effects {
  const finder = new GainFinder();
  const gains: Gain[] = [];
  const newEdges: EffectiveEdge[] = [];
  for (const { from, to } of distinct(pairs)) {
    const [before, after] = [graph.edge(from, to), trial.edge(from, to)];
    gains.push(...finder.gainsOf(before, after));
    if (before === undefined && after !== undefined) newEdges.push(after);
  }
  return { gains, newEdges };
}

/** One loss for each edge between `pairs` that loses something. */
export function lossesOf(graph: DelegationGraph, trial: Trial, pairs: readonly Pair[]): readonly Loss[] {
  const finder = new GainFinder();
  return distinct(pairs).flatMap(({ from, to }) => {
    const after = trial.edge(from, to);
    const lost = finder.gainsOf(after, graph.edge(from, to));
    return lost.length === 0 ? [] : { lost, isAll: after === undefined };
  });
}

function distinct(pairs: readonly Pair[]): readonly Pair[] {
  return [...new Map(pairs.map((pair) => [`${pair.from}>${pair.to}`, pair])).values()];
}
