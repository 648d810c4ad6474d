/** The objects of a cache, by key and by index, in the order of their resource versions. No I/O. */

import type { Key, ObjectMeta } from './object.ts';
import { keyOf } from './object.ts';
import { isOlder, isOrderedResourceVersion } from './resource-version.ts';
import type { IndexFunction } from './store-index.ts';
import { StoreIndex } from './store-index.ts';

/** The part of an object's metadata that names it and orders its states. */
export type VersionedMeta = Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>;

/** One change of one key; `current` is undefined when it went, `previous` when it is new. */
interface StoreChange<T> {
  readonly key: Key;
  readonly current: T | undefined;
  readonly previous: T | undefined;
}

/** What listeners have to be told, in order. */
export type StoreChanges<T> = readonly StoreChange<T>[];

interface Entry<T> {
  readonly value: T;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** Set on the answer of an own write until its watch event comes: what listeners know instead. */
  readonly ahead?: { readonly of: T | undefined };
}

/** A list that is being read page by page. */
interface Relist {
  readonly resourceVersion: string;
  /** The server's history went back (a restored backup): what is held is no longer newer. */
  readonly rewound: boolean;
  readonly keys: Set<Key>;
  readonly buried: Set<string>;
}

/** Keeps the newest state of each key. Whatever `project` functions throw is passed on, with nothing changed. */
export class Store<T> {
  readonly #entries = new Map<Key, Entry<T>>();
  readonly #index: StoreIndex<T>;
  /** Uids deleted by this process whose DELETED event has not come: earlier events must not revive them. */
  #buried = new Set<string>();
  #relist: Relist | undefined;
  /** Everything up to this version has been told by the server. */
  #newest: string | undefined;

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#index = new StoreIndex(indexes);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): T | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): IterableIterator<Key> {
    return this.#entries.keys();
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield entry.value;
  }

  /** @throws RangeError when there is no such index. */
  byIndex(name: string, value: string): readonly Key[] {
    return this.#index.keys(name, value);
  }

  /** A state told by the server, in a list or as ADDED or MODIFIED. Another uid under the name is a delete and an add. */
  put(metadata: VersionedMeta, project: () => T): StoreChanges<T> {
    const key = keyOf(metadata);
    this.#relist?.keys.add(key);
    if (metadata.uid !== undefined && this.#buried.has(metadata.uid)) {
      this.#relist?.buried.add(metadata.uid);
      return [];
    }
    const held = this.#entries.get(key);
    if (held !== undefined && this.#isNoNews(held, metadata)) return this.#overtaken(key, held, metadata);
    const value = project();
    this.#set(key, { value, uid: metadata.uid, resourceVersion: metadata.resourceVersion });
    if (held === undefined) return [{ key, current: value, previous: undefined }];
    if (held.uid === metadata.uid) {
      return [{ key, current: value, previous: held.ahead === undefined ? held.value : held.ahead.of }];
    }
    return [
      { key, current: undefined, previous: held.value },
      { key, current: value, previous: undefined },
    ];
  }

  /** A DELETED event. */
  remove(metadata: VersionedMeta): StoreChanges<T> {
    const key = keyOf(metadata);
    if (metadata.uid !== undefined) this.#buried.delete(metadata.uid);
    const held = this.#entries.get(key);
    if (held === undefined) return [];
    if (isOlder(metadata.resourceVersion, held.resourceVersion)) return this.#overtaken(key, held, metadata);
    return held.uid === metadata.uid ? this.drop(key) : [];
  }

  /** Takes out what is held, whatever its version. */
  drop(key: Key): StoreChanges<T> {
    const held = this.#entries.get(key);
    if (held === undefined) return [];
    this.#entries.delete(key);
    this.#index.delete(key, held.value);
    return [{ key, current: undefined, previous: held.value }];
  }

  /**
   * The answer of an own write: kept if the server's events have not come that far yet. No change to be told; its
   * event will be none either, but events of others that it overtook will be.
   */
  observe(metadata: VersionedMeta, project: () => T): void {
    const { uid, resourceVersion } = metadata;
    const key = keyOf(metadata);
    const held = this.#entries.get(key);
    const isAhead = this.#newest === undefined || isOlder(this.#newest, resourceVersion);
    if (!isOrderedResourceVersion(resourceVersion) || !isAhead) return;
    if (held !== undefined && this.#isNoNews(held, metadata)) return;
    if (uid !== undefined && this.#buried.has(uid)) return;
    this.#set(key, { value: project(), uid, resourceVersion, ahead: held?.ahead ?? { of: held?.value } });
  }

  /** An own delete that the server carried out. No change to be told. */
  observeDeleted(metadata: VersionedMeta): void {
    const key = keyOf(metadata);
    const { uid } = metadata;
    if (uid === undefined || this.#entries.get(key)?.uid !== uid) return;
    this.#buried.add(uid);
    this.#relist?.buried.add(uid);
    this.drop(key);
  }

  /** The server has told everything up to this version. */
  advance(resourceVersion: string | undefined): void {
    if (resourceVersion !== undefined && !isOlder(resourceVersion, this.#newest))
      this.#newest = resourceVersion;
  }

  /** A list as of `resourceVersion` begins; one that was under way is forgotten. */
  beginRelist(resourceVersion: string): void {
    const rewound = isOlder(resourceVersion, this.#newest);
    this.#relist = { resourceVersion, rewound, keys: new Set(), buried: new Set() };
  }

  /** The list is complete: what was not in it is gone, except for own writes that are newer than the list. */
  endRelist(): StoreChanges<T> {
    const relist = this.#relist;
    if (relist === undefined) return [];
    const changes: StoreChange<T>[] = [];
    for (const [key, entry] of this.#entries) {
      const isNewer = !relist.rewound && isOlder(relist.resourceVersion, entry.resourceVersion);
      if (!relist.keys.has(key) && !isNewer) changes.push(...this.drop(key));
    }
    this.#relist = undefined;
    this.#buried = relist.buried;
    this.#newest = relist.resourceVersion;
    return changes;
  }

  #isNoNews(held: Entry<T>, metadata: VersionedMeta): boolean {
    const { uid, resourceVersion } = metadata;
    if (held.uid === uid && held.resourceVersion === resourceVersion) return true;
    return this.#relist?.rewound !== true && isOlder(resourceVersion, held.resourceVersion);
  }

  /**
   * The server tells a state that is held already, or an older one. Only behind an own write that is news: somebody
   * else's change came before it and is part of it, and listeners have not heard of it. A list may stand for such
   * changes, so it counts as one.
   */
  #overtaken(key: Key, held: Entry<T>, metadata: VersionedMeta): StoreChanges<T> {
    if (held.ahead === undefined) return [];
    const { ahead, ...entry } = held;
    const isEcho = held.resourceVersion === metadata.resourceVersion;
    this.#entries.set(key, isEcho ? entry : { ...entry, ahead: { of: held.value } });
    return isEcho && this.#relist === undefined ? [] : [{ key, current: held.value, previous: ahead.of }];
  }

  #set(key: Key, entry: Entry<T>): void {
    // The index first: it may throw, and then nothing has changed.
    this.#index.set(key, entry.value, this.#entries.get(key)?.value);
    this.#entries.set(key, entry);
  }
}
