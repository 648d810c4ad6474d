/** Finds keys by values that functions derive from the objects of a store. */

import type { Key } from './object.ts';

/** The values under which an object is found in one index: a pure function, since it is asked again on removal. */
export type IndexFunction<T> = (value: T) => readonly string[];

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  /** Most values belong to one key; a set for each would weigh as much as the objects. */
  readonly keys: Map<string, Key | Set<Key>>;
}

/** All indexes of one store. */
export class StoreIndex<T> {
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>>) {
    for (const [name, valuesOf] of Object.entries(indexes)) {
      this.#indexes.set(name, { valuesOf, keys: new Map() });
    }
  }

  /** @throws RangeError when there is no such index. */
  keys(name: string, value: string): readonly Key[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`there is no index ${name}`);
    const keys = index.keys.get(value);
    if (keys === undefined) return [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  /**
   * Replaces what the key was found under.
   *
   * @param previous The object that the key was set with before, if any.
   * @throws what an index function throws, with nothing changed.
   */
  set(key: Key, value: T, previous: T | undefined): void {
    const changes = [...this.#indexes.values()].map(({ keys, valuesOf }) => ({
      keys,
      values: valuesOf(value),
      before: previous === undefined ? [] : valuesOf(previous),
    }));
    for (const { keys, values, before } of changes) {
      for (const each of before) take(keys, each, key);
      for (const each of values) add(keys, each, key);
    }
  }

  /** Takes the key out; `previous` is the object that it was set with. */
  delete(key: Key, previous: T): void {
    for (const { keys, valuesOf } of this.#indexes.values()) {
      for (const value of valuesOf(previous)) take(keys, value, key);
    }
  }
}

function add(keys: Index<unknown>['keys'], value: string, key: Key): void {
  const held = keys.get(value);
  if (held === undefined) keys.set(value, key);
  else if (held instanceof Set) held.add(key);
  else if (held !== key) keys.set(value, new Set([held, key]));
}

function take(keys: Index<unknown>['keys'], value: string, key: Key): void {
  const held = keys.get(value);
  if (held instanceof Set) held.delete(key);
  if (held === key || (held instanceof Set && held.size === 0)) keys.delete(value);
}
