/** A local copy of a collection, projected to what is needed, kept current by a reflector. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../observe/log.ts';
import { silentLog } from '../observe/log.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { KubeError } from './errors.ts';
import type { Key, KubeObject, ResourceType } from './object.ts';
import { keyOf } from './object.ts';
import type { ReflectorSink } from './reflector.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorTiming } from './reflector-timing.ts';
import { DEFAULT_REFLECTOR_TIMING } from './reflector-timing.ts';
import type { Selection } from './resource-calls.ts';
import type { StoreChanges, VersionedMeta } from './store.ts';
import { Store } from './store.ts';
import type { IndexFunction } from './store-index.ts';
import type { Wait } from './wait.ts';
import { systemWait } from './wait.ts';

/** Objects of a page that are projected before other work gets a turn; a projection may take 0.2 ms. */
const ITEMS_PER_TURN = 25;

/** `refused`: the server does not let us list, or does not know the type; it is asked again now and then. */
export type CacheState = 'starting' | 'synced' | 'refused';

/**
 * Told of a change of a key: `previous` undefined for a new object, `current` for one that is gone. A name that passes
 * to another object is gone first and new then.
 */
export type ChangeListener<T> = (key: Key, current: T | undefined, previous: T | undefined) => void;

/** Told when the state changes. */
export type StateListener = (state: CacheState) => void;

/** What a cache is made of. Objects are selected as in a list. */
export interface CacheOptions<T, O extends KubeObject = KubeObject> extends Selection {
  readonly client: Pick<KubeClient, 'pages' | 'watch'>;
  readonly type: ResourceType;
  /** What is kept of an object. An object for which it throws is logged, counted and left out. */
  readonly project: (object: O) => T;
  /** Functions that give the values under which a kept value is found. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly wait?: Wait;
  /** A number in [0, 1), for jitter. */
  readonly random?: () => number;
  readonly timing?: Partial<ReflectorTiming>;
}

/** How many objects and listeners failed since the start. */
export interface CacheFailures {
  readonly projections: number;
  readonly listeners: number;
}

/** `T` is what is kept of each object, `O` the object as the server sends it. */
export class Cache<T, O extends KubeObject = KubeObject> {
  readonly #options: CacheOptions<T, O>;
  readonly #log: Log;
  readonly #store: Store<T>;
  readonly #reflector: Reflector;
  readonly #changeListeners = new Set<ChangeListener<T>>();
  readonly #stateListeners = new Set<StateListener>();
  readonly #waiters = new Set<PromiseWithResolvers<void>>();
  readonly #failures = { projections: 0, listeners: 0 };
  #state: CacheState = 'starting';
  #hasSynced = false;
  #started = false;
  #lastError: KubeError | undefined;

  constructor(options: CacheOptions<T, O>) {
    const { client, type, namespace, labelSelector, fieldSelector, metadataOnly } = options;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#store = new Store(options.indexes);
    this.#reflector = new Reflector({
      client,
      type,
      selection: { namespace, labelSelector, fieldSelector, metadataOnly },
      sink: this.#sink(),
      timing: { ...DEFAULT_REFLECTOR_TIMING, ...options.timing },
      clock: options.clock ?? systemClock,
      wait: options.wait ?? systemWait,
      random: options.random ?? Math.random,
    });
  }

  /** Whether all objects have been listed once; from then on what is missing here was missing there. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get state(): CacheState {
    return this.#state;
  }

  /** The failure that has not been overcome yet, if there is one. */
  get lastError(): KubeError | undefined {
    return this.#lastError;
  }

  get failures(): CacheFailures {
    return { ...this.#failures };
  }

  get size(): number {
    return this.#store.size;
  }

  /** Lists and watches until `signal` is aborted; resolves when nothing is open any more. Once per cache. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#started) throw new Error(`the cache of ${this.#options.type.plural} is started already`);
    this.#started = true;
    await this.#reflector.run(signal);
    for (const waiter of this.#waiters) waiter.reject(this.#aborted());
  }

  /**
   * Resolves once all objects have been listed.
   *
   * @throws KubeError KUBE_ABORTED when `signal` is aborted or the cache ends before.
   */
  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#hasSynced) return;
    const waiter = Promise.withResolvers<void>();
    const onAbort = () => waiter.reject(this.#aborted());
    if (signal?.aborted === true) onAbort();
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', onAbort);
    try {
      await waiter.promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  get(key: Key): T | undefined {
    return this.#store.get(key);
  }

  keys(): IterableIterator<Key> {
    return this.#store.keys();
  }

  values(): IterableIterator<T> {
    return this.#store.values();
  }

  /** The keys found under a value of an index. @throws RangeError when there is no such index. */
  byIndex(name: string, value: string): readonly Key[] {
    return this.#store.byIndex(name, value);
  }

  /** Calls `listener` for every change from now on. Returns what ends that. */
  onChange(listener: ChangeListener<T>): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Calls `listener` when the state changes. Returns what ends that. */
  onStateChange(listener: StateListener): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /**
   * Takes the answer of an own write, of an object that this cache selects, so that the next read sees it. Listeners
   * are not called, not for its watch event either; changes by others that it includes are told when their events come.
   */
  observe(object: O): void {
    const project = () => this.#options.project(object);
    this.#guard(object.metadata, () => this.#store.observe(object.metadata, project));
  }

  /** Takes note of an own delete that the server carried out. Listeners are not called. */
  observeDeleted(metadata: VersionedMeta): void {
    this.#store.observeDeleted(metadata);
  }

  #sink(): ReflectorSink {
    return {
      listing: (resourceVersion) => this.#store.beginRelist(resourceVersion),
      page: (items, signal) => this.#takePage(items as readonly O[], signal),
      listed: () => {
        this.#tell(this.#store.endRelist());
        this.#enterSynced();
      },
      event: (type, object) => {
        if (type === 'DELETED') this.#tell(this.#store.remove(object.metadata));
        else this.#put(object as O);
        this.#store.advance(object.metadata.resourceVersion);
        this.#lastError = undefined;
      },
      bookmark: (resourceVersion) => {
        this.#store.advance(resourceVersion);
        this.#lastError = undefined;
      },
      failed: (error, { refused, delayMs }) => this.#takeFailure(error, refused, delayMs),
    };
  }

  async #takePage(items: readonly O[], signal: AbortSignal): Promise<void> {
    for (const [position, object] of items.entries()) {
      if (position % ITEMS_PER_TURN === ITEMS_PER_TURN - 1) await nextTurn();
      if (signal.aborted) return;
      this.#put(object);
    }
  }

  #put(object: O): void {
    const project = () => this.#options.project(object);
    this.#guard(object.metadata, () => this.#tell(this.#store.put(object.metadata, project)));
  }

  /** Runs `take`; an object that cannot be projected or indexed is taken out, whatever was held of it before. */
  #guard(metadata: VersionedMeta, take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#failures.projections += 1;
      const key = keyOf(metadata);
      // Not the message: it may quote the object.
      const fields = {
        type: this.#options.type.plural,
        key,
        error: error instanceof Error ? error.name : 'unknown',
      };
      this.#log.error(fields, 'object left out of the cache: its projection failed');
      this.#tell(this.#store.drop(key));
    }
  }

  #tell(changes: StoreChanges<T>): void {
    for (const { key, current, previous } of changes) {
      for (const listener of this.#changeListeners) {
        this.#isolated(() => listener(key, current, previous), { key });
      }
    }
  }

  #isolated(call: () => void, fields: { readonly key?: Key }): void {
    try {
      call();
    } catch (error) {
      this.#failures.listeners += 1;
      const message = error instanceof Error ? error.message : 'unknown';
      this.#log.error(
        { type: this.#options.type.plural, ...fields, error: message },
        'listener of the cache failed',
      );
    }
  }

  #enterSynced(): void {
    this.#hasSynced = true;
    this.#lastError = undefined;
    for (const waiter of this.#waiters) waiter.resolve();
    this.#enter('synced');
  }

  #takeFailure(error: KubeError, refused: boolean, delayMs: number): void {
    this.#lastError = error;
    const fields = { type: this.#options.type.plural, code: error.code, delayMs: Math.round(delayMs) };
    // A refusal lasts: saying it once is enough.
    if (refused && this.#state === 'refused') this.#log.debug(fields, error.message);
    else this.#log.warn(fields, error.message);
    if (refused) this.#enter('refused');
  }

  #enter(state: CacheState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) this.#isolated(() => listener(state), {});
  }

  #aborted(): KubeError {
    return new KubeError(
      'KUBE_ABORTED',
      `the cache of ${this.#options.type.plural} ended before it was synced`,
    );
  }
}
