/**
 * What can reach a namespace, said as plainly and slowly as possible: every walk along the edges is taken, up to eight calls
 * long, and those that end in the namespace and whose every edge allows so long a chain count. Edges of agents that are cut off
 * only tell which of these are on the way.
 */

import type { AgentId } from '../../../src/domain/delegation/facts.ts';

/** An edge that may be walked. `isReal`: it grants something now. */
export interface Way {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly maxDepth: number;
  readonly isReal: boolean;
}

/** What counts, sorted. */
export interface ReachedBy {
  readonly edges: readonly string[];
  readonly signers: readonly AgentId[];
}

/** Takes all walks. */
export function reachReference(
  ways: readonly Way[],
  own: readonly AgentId[],
  suspended: ReadonlySet<AgentId>,
): ReachedBy {
  const real = new Set<Way>();
  const all = new Set<Way>();
  const walk = (taken: readonly Way[]): void => {
    const last = taken.at(-1);
    if (
      last !== undefined &&
      own.includes(last.to) &&
      taken.every(({ maxDepth }) => maxDepth >= taken.length)
    )
      for (const way of taken) {
        all.add(way);
        if (taken.every(({ isReal }) => isReal)) real.add(way);
      }
    if (taken.length === 8) return;
    for (const way of ways) if (last === undefined || way.from === last.to) walk([...taken, way]);
  };
  walk([]);
  const starting = ways.filter(({ from, isReal }) => isReal && own.includes(from));
  const cutOff = [...all].map(({ from }) => from).filter((from) => suspended.has(from));
  return {
    edges: [...new Set([...real, ...starting].map(({ from, to }) => `${from}>${to}`))].sort(),
    signers: [...new Set([...own, ...[...real].map(({ from }) => from), ...cutOff])].sort(),
  };
}
