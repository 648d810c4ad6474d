/** Caches of kinds that a cluster may or may not serve: they run while it does. */

import { Cache, type CacheOptions, type CacheState, type ChangeListener } from '../../kube/cache.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ServedKind } from './served-kind.ts';

interface Run<T, O extends KubeObject> {
  readonly cache: Cache<T, O>;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** One collection; each time the kind comes, a new cache lists it. */
export class ServedCache<T, O extends KubeObject = KubeObject> {
  readonly #kind: ServedKind;
  readonly #options: CacheOptions<T, O>;
  readonly #changeListeners = new Set<ChangeListener<T>>();
  readonly #stateListeners = new Set<() => void>();
  #run: Run<T, O> | undefined;

  constructor(kind: ServedKind, options: CacheOptions<T, O>) {
    this.#kind = kind;
    this.#options = options;
  }

  /** The cache, while the kind is served. */
  get current(): Cache<T, O> | undefined {
    return this.#run?.cache;
  }

  /** `refused` also while the kind is not served. */
  get state(): CacheState {
    if (this.#run !== undefined) return this.#run.cache.state;
    return this.#kind.isServed === undefined && this.#kind.state === 'starting' ? 'starting' : 'refused';
  }

  /** Calls `listener` for every change of an object. */
  onChange(listener: ChangeListener<T>): void {
    this.#changeListeners.add(listener);
  }

  /** Calls `listener` when the state may have changed. Returns what ends that. */
  onStateChange(listener: () => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Runs until `signal` is aborted; resolves when nothing is open any more. Once. */
  async start(signal: AbortSignal): Promise<void> {
    const follow = (): void => this.#follow(signal);
    const forget = this.#kind.onChange(follow);
    follow();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stop(), { once: true });
    if (signal.aborted) stop();
    await stopped;
    forget();
    await this.#run?.ended;
  }

  #follow(signal: AbortSignal): void {
    const { isServed } = this.#kind;
    if (isServed === true && this.#run === undefined && !signal.aborted) this.#run = this.#begin(signal);
    if (isServed === false && this.#run !== undefined) {
      this.#run.abort.abort();
      this.#run = undefined;
    }
    this.#tellState();
  }

  #begin(signal: AbortSignal): Run<T, O> {
    const cache = new Cache<T, O>(this.#options);
    const abort = new AbortController();
    cache.onChange((...change) => {
      for (const listener of this.#changeListeners) listener(...change);
    });
    cache.onStateChange(() => this.#tellState());
    return { cache, abort, ended: cache.start(AbortSignal.any([signal, abort.signal])) };
  }

  #tellState(): void {
    for (const listener of this.#stateListeners) listener();
  }
}
