/** A value that somebody else replaces now and then, such as a projected token file. */

import type { Clock } from './clock.ts';

/** How long a value is served before it is loaded again, milliseconds; the period of client-go. */
const RELOAD_AFTER_MS = 60_000;

/** Loads a value at most once a minute; callers at the same time share one load. */
export class Refreshed<T> {
  readonly #load: () => Promise<T>;
  readonly #clock: Clock;
  #held: { readonly value: T; readonly loadedAtMs: number } | undefined;
  #loading: Promise<T> | undefined;
  #stale = false;

  constructor(load: () => Promise<T>, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /**
   * The value, at most a minute old. While loading fails (the file is being replaced) the last one is given.
   *
   * @throws what `load` throws when it never succeeded.
   */
  get(): Promise<T> {
    if (this.#held !== undefined && !this.#isDue(this.#held.loadedAtMs)) {
      return Promise.resolve(this.#held.value);
    }
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Makes the next `get` load. */
  invalidate(): void {
    this.#stale = true;
  }

  #isDue(loadedAtMs: number): boolean {
    return this.#stale || this.#clock.monotonicMs() - loadedAtMs >= RELOAD_AFTER_MS;
  }

  async #reload(): Promise<T> {
    this.#stale = false;
    try {
      const value = await this.#load();
      this.#held = { value, loadedAtMs: this.#clock.monotonicMs() };
      return value;
    } catch (error) {
      this.#stale = true;
      if (this.#held === undefined) throw error;
      return this.#held.value;
    }
  }
}
