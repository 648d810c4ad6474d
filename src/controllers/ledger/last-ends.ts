/** When the leaves of a generation are over, as the ledger says. */

import type { LeafBook } from './leaf-book.ts';

/** The end of the last leaf of each generation that has any, milliseconds since the Unix epoch. */
export function lastEnds(leaves: Pick<LeafBook, 'lines'>): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { generation, notAfterMs } of leaves.lines())
    if (notAfterMs > (ends.get(generation) ?? 0)) ends.set(generation, notAfterMs);
  return ends;
}
