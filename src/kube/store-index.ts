/** Finds keys by values that functions derive from the objects of a store. */

import type { Key } from './object.ts';

/** The values under which an object is found in one index. */
export type IndexFunction<T> = (value: T) => readonly string[];

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  readonly keys: Map<string, Set<Key>>;
}

/** All indexes of one store. */
export class StoreIndex<T> {
  readonly #indexes = new Map<string, Index<T>>();
  /** Per key the values in each index, in the order of the indexes: what has to be taken out again. */
  readonly #values = new Map<Key, readonly (readonly string[])[]>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>>) {
    for (const [name, valuesOf] of Object.entries(indexes)) {
      this.#indexes.set(name, { valuesOf, keys: new Map() });
    }
  }

  /** @throws RangeError when there is no such index. */
  keys(name: string, value: string): readonly Key[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`there is no index ${name}`);
    return [...(index.keys.get(value) ?? [])];
  }

  /** Replaces what the key was found under. @throws what an index function throws, with nothing changed. */
  set(key: Key, value: T): void {
    if (this.#indexes.size === 0) return;
    const values = this.#indexes
      .values()
      .map((index) => index.valuesOf(value))
      .toArray();
    this.delete(key);
    this.#values.set(key, values);
    for (const [position, index] of [...this.#indexes.values()].entries()) {
      for (const indexed of values[position] ?? []) {
        const keys = index.keys.get(indexed);
        if (keys === undefined) index.keys.set(indexed, new Set([key]));
        else keys.add(key);
      }
    }
  }

  delete(key: Key): void {
    const values = this.#values.get(key);
    if (values === undefined) return;
    this.#values.delete(key);
    for (const [position, index] of [...this.#indexes.values()].entries()) {
      for (const indexed of values[position] ?? []) {
        const keys = index.keys.get(indexed);
        keys?.delete(key);
        if (keys?.size === 0) index.keys.delete(indexed);
      }
    }
  }
}
