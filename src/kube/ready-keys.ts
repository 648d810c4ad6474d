/**
 * The keys that are ready to run and the order in which they run: class before class, inside a class one group after
 * the other, inside a group the longest overdue first.
 */

import type { HeapEntry } from './heap.ts';
import { Heap } from './heap.ts';
import type { Key } from './object.ts';

/**
 * The class of a key. A key of a better class always goes first, so a class must not be a place for work without end:
 * `urgent` for kills, `normal` for changes, `background` for first lists and resyncs.
 */
export type Priority = 'urgent' | 'normal' | 'background';

const RANKS: Readonly<Record<Priority, number>> = { urgent: 0, normal: 1, background: 2 };

/** The better of two classes. */
export function betterPriority(a: Priority, b: Priority): Priority {
  return RANKS[a] <= RANKS[b] ? a : b;
}

/** A key that waits for a worker; instants on the monotonic clock. */
export interface ReadyKey {
  readonly key: Key;
  readonly priority: Priority;
  /** Since when it should have run. */
  readonly dueMs: number;
  /** Since when it waits here. */
  readonly readyMs: number;
}

interface Group extends HeapEntry {
  readonly name: string;
  readonly keys: Heap<Item>;
  /** The turn it last had; the lowest goes next. */
  turn: number;
}

interface Class {
  readonly groups: Map<string, Group>;
  readonly turns: Heap<Group>;
}

interface Item extends ReadyKey, HeapEntry {
  readonly sequence: number;
  readonly group: Group;
}

function newClass(): Class {
  return { groups: new Map(), turns: new Heap((a, b) => a.turn < b.turn) };
}

function runsBefore(a: Item, b: Item): boolean {
  return a.dueMs === b.dueMs ? a.sequence < b.sequence : a.dueMs < b.dueMs;
}

/** Every operation is O(log n); a group is forgotten with its last key. */
export class ReadyKeys {
  readonly #groupOf: (key: Key) => string;
  readonly #items = new Map<Key, Item>();
  readonly #urgent = newClass();
  readonly #normal = newClass();
  readonly #background = newClass();
  #counter = 0;

  /** @param groupOf the name of the group a key shares its turns with. */
  constructor(groupOf: (key: Key) => string) {
    this.#groupOf = groupOf;
  }

  get size(): number {
    return this.#items.size;
  }

  has(key: Key): boolean {
    return this.#items.has(key);
  }

  /** Adds a key; one that waits already keeps the better class and the earlier instants of the two. */
  add(ready: ReadyKey): void {
    const waiting = this.#items.get(ready.key);
    const merged = waiting === undefined ? ready : mergeReady(waiting, ready);
    if (merged.priority === waiting?.priority && merged.dueMs === waiting.dueMs) return;
    this.delete(ready.key);
    this.#insert(merged);
  }

  /** Takes out the key that runs next; undefined when none waits. */
  take(): ReadyKey | undefined {
    return this.#takeFrom(this.#urgent) ?? this.#takeFrom(this.#normal) ?? this.#takeFrom(this.#background);
  }

  delete(key: Key): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    item.group.keys.remove(item);
    if (item.group.keys.size === 0) this.#dropGroup(item);
  }

  #takeFrom(from: Class): ReadyKey | undefined {
    const group = from.turns.peek();
    const item = group?.keys.peek();
    if (group === undefined || item === undefined) return undefined;
    group.turn = ++this.#counter;
    from.turns.moved(group);
    this.delete(item.key);
    return item;
  }

  #insert({ key, priority, dueMs, readyMs }: ReadyKey): void {
    const group = this.#groupFor(this.#classOf(priority), this.#groupOf(key));
    const item: Item = { key, priority, dueMs, readyMs, group, sequence: ++this.#counter, heapIndex: -1 };
    this.#items.set(key, item);
    group.keys.push(item);
  }

  #groupFor(of: Class, name: string): Group {
    const known = of.groups.get(name);
    if (known !== undefined) return known;
    const group: Group = { name, turn: ++this.#counter, keys: new Heap(runsBefore), heapIndex: -1 };
    of.groups.set(name, group);
    of.turns.push(group);
    return group;
  }

  #dropGroup({ group, priority }: Item): void {
    const from = this.#classOf(priority);
    from.groups.delete(group.name);
    from.turns.remove(group);
  }

  #classOf(priority: Priority): Class {
    switch (priority) {
      case 'urgent':
        return this.#urgent;
      case 'normal':
        return this.#normal;
      case 'background':
        return this.#background;
    }
  }
}

/** One request out of two for the same key: the better class, the earlier instants. */
export function mergeReady(a: ReadyKey, b: ReadyKey): ReadyKey {
  return {
    key: a.key,
    priority: betterPriority(a.priority, b.priority),
    dueMs: Math.min(a.dueMs, b.dueMs),
    readyMs: Math.min(a.readyMs, b.readyMs),
  };
}
