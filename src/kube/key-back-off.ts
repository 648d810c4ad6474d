/** How long a key that failed waits before it is tried again. */

import type { Key } from './object.ts';

/** Exponential back-off: `baseMs * factor ^ failures`, at most `capMs`, then give or take half. */
export interface BackOff {
  readonly baseMs: number;
  readonly factor: number;
  readonly capMs: number;
}

/** 100 ms, doubled each time, at most 5 min. */
export const DEFAULT_BACK_OFF: BackOff = { baseMs: 100, factor: 2, capMs: 300_000 };

/** Counts failures per key; nothing is kept for a key that is forgotten. */
export class KeyBackOff {
  readonly #backOff: BackOff;
  readonly #random: () => number;
  readonly #failures = new Map<Key, number>();

  /** @param random in [0, 1). */
  constructor(backOff: BackOff, random: () => number) {
    this.#backOff = backOff;
    this.#random = random;
  }

  /** Counts a failure; returns the delay before the next attempt, milliseconds. */
  nextDelayMs(key: Key): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const { baseMs, factor, capMs } = this.#backOff;
    return Math.min(capMs, baseMs * factor ** failures) * (0.5 + this.#random());
  }

  forget(key: Key): void {
    this.#failures.delete(key);
  }
}
