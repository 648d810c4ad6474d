/** A binary heap whose entries know their place, so that any of them can leave or move in O(log n). */

/** What the heap writes into an entry: its place, or -1 outside. An entry is in one heap at most. */
export interface HeapEntry {
  heapIndex: number;
}

/** Entries in the order of `before`; ties in any order. */
export class Heap<T extends HeapEntry> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #entries: T[] = [];

  /** @param before whether `a` must leave before `b`; a strict order. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The first entry, left in place; undefined when empty. O(1). */
  peek(): T | undefined {
    return this.#entries[0];
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#rise(entry, this.#entries.length - 1);
  }

  /** Takes the first entry out; undefined when empty. */
  pop(): T | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes `entry` out, which must be in this heap. */
  remove(entry: T): void {
    const index = entry.heapIndex;
    entry.heapIndex = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    last.heapIndex = index;
    this.moved(last);
  }

  /** Restores the order after what `before` looks at has changed in `entry`, which must be in this heap. */
  moved(entry: T): void {
    this.#rise(entry, entry.heapIndex);
    this.#sink(entry, entry.heapIndex);
  }

  #rise(entry: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#entries[parentIndex];
      if (parent === undefined || !this.#before(entry, parent)) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(entry, index);
  }

  #sink(entry: T, from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#earlier(left, left + 1);
      if (child === undefined || !this.#before(child, entry)) break;
      const childIndex = child.heapIndex;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(entry, index);
  }

  #earlier(leftIndex: number, rightIndex: number): T | undefined {
    const left = this.#entries[leftIndex];
    const right = this.#entries[rightIndex];
    return left !== undefined && right !== undefined && this.#before(right, left) ? right : left;
  }

  #place(entry: T, index: number): void {
    this.#entries[index] = entry;
    entry.heapIndex = index;
  }
}
