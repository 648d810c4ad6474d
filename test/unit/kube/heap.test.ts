/** The heap: entries leave in order, wherever others were taken out or moved. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { HeapEntry } from '../../../src/kube/heap.ts';
import { Heap } from '../../../src/kube/heap.ts';

interface Entry extends HeapEntry {
  rank: number;
}

type Step = readonly ['push' | 'pop' | 'remove' | 'move', number, number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('push', 'push', 'pop', 'remove', 'move'),
  fc.nat(1000),
  fc.nat(1000),
);

/** What the entries of `steps` are worth in the end, by a plain array. */
function play(heap: Heap<Entry>, steps: readonly Step[]): readonly Entry[] {
  const entries: Entry[] = [];
  for (const [kind, rank, which] of steps) {
    const index = which % Math.max(1, entries.length);
    const entry = entries[index];
    if (kind === 'push') {
      const pushed = { rank, heapIndex: -1 };
      heap.push(pushed);
      entries.push(pushed);
    } else if (kind === 'pop') {
      const popped = heap.pop();
      expect(popped?.rank).to.equal(entries.toSorted((a, b) => a.rank - b.rank)[0]?.rank);
      if (popped !== undefined) entries.splice(entries.indexOf(popped), 1);
    } else if (entry !== undefined && kind === 'remove') {
      heap.remove(entry);
      entries.splice(index, 1);
    } else if (entry !== undefined) {
      entry.rank = rank;
      heap.moved(entry);
    }
  }
  return entries;
}

describe('Heap', () => {
  it('hands out entries in order after any pushes, pops, removals and moves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const heap = new Heap<Entry>((a, b) => a.rank < b.rank);
        const ranks = play(heap, steps).map(({ rank }) => rank);
        expect(heap.size).to.equal(ranks.length);
        expect(ranks.map(() => heap.pop()?.rank)).to.deep.equal(ranks.toSorted((a, b) => a - b));
      }),
    );
  });

  it('has nothing to hand out when empty', () => {
    const heap = new Heap<Entry>((a, b) => a.rank < b.rank);
    expect([heap.peek(), heap.pop(), heap.size]).to.deep.equal([undefined, undefined, 0]);
  });
});
