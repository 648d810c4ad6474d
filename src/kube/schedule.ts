/** Keys that become due at an instant, on whichever clock the caller reads. One instant per key. */

import type { HeapEntry } from './heap.ts';
import { Heap } from './heap.ts';
import type { Key } from './object.ts';
import type { Priority } from './ready-keys.ts';

/** A key and when it is due; `atMs` is on the clock of the caller. */
export interface Scheduled {
  readonly key: Key;
  readonly atMs: number;
  readonly priority: Priority;
}

interface Entry extends Scheduled, HeapEntry {
  readonly sequence: number;
}

function isDueBefore(a: Entry, b: Entry): boolean {
  return a.atMs === b.atMs ? a.sequence < b.sequence : a.atMs < b.atMs;
}

/** At most one instant per key; keys of the same instant in the order they were set. Every operation is O(log n). */
export class Schedule {
  readonly #byKey = new Map<Key, Entry>();
  readonly #heap = new Heap<Entry>(isDueBefore);
  #counter = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** The earliest instant; undefined when nothing is scheduled. */
  get nextAtMs(): number | undefined {
    return this.#heap.peek()?.atMs;
  }

  get(key: Key): Scheduled | undefined {
    return this.#byKey.get(key);
  }

  /** Replaces what was scheduled for the key. */
  set(scheduled: Scheduled): void {
    this.delete(scheduled.key);
    const entry: Entry = { ...scheduled, sequence: ++this.#counter, heapIndex: -1 };
    this.#byKey.set(scheduled.key, entry);
    this.#heap.push(entry);
  }

  delete(key: Key): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#byKey.delete(key);
    this.#heap.remove(entry);
  }

  /** Takes out the earliest entry that is due at `nowMs`; undefined when none is. */
  takeDue(nowMs: number): Scheduled | undefined {
    const first = this.#heap.peek();
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.delete(first.key);
    return first;
  }
}
