/** Something that is done again and again beside the steps of the demo, until it is stopped. */

import { setTimeout as after } from 'node:timers/promises';

/** Has to be stopped. */
export class Repeated {
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;

  /** Begins at once; `run` is never under way twice. */
  constructor(intervalMs: number, run: () => Promise<void>) {
    this.#loop = this.#repeat(intervalMs, run);
    // whoever stops it hears of it
    this.#loop.catch(() => undefined);
  }

  /** Resolves when the last run has ended. @throws what a run threw; no other followed then. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  async #repeat(intervalMs: number, run: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await run();
      await after(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
