/** A token bucket: a burst at once, then a steady rate. */

import type { Clock } from './clock.ts';

/** `burst` tokens at the start and at most; one more every `refillMs`. */
export interface BucketSize {
  readonly burst: number;
  readonly refillMs: number;
}

/** Refilled when it is asked; needs no timer. */
export class TokenBucket {
  readonly #size: BucketSize;
  readonly #clock: Clock;
  #tokens: number;
  #countedMs: number;

  constructor(size: BucketSize, clock: Clock) {
    this.#size = size;
    this.#clock = clock;
    this.#tokens = size.burst;
    this.#countedMs = clock.monotonicMs();
  }

  /** Takes a token if there is one. */
  take(): boolean {
    if (this.waitMs() > 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until there is a token, milliseconds; 0 when there is one. */
  waitMs(): number {
    const nowMs = this.#clock.monotonicMs();
    const { burst, refillMs } = this.#size;
    this.#tokens = Math.min(burst, this.#tokens + (nowMs - this.#countedMs) / refillMs);
    this.#countedMs = nowMs;
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - this.#tokens) * refillMs));
  }
}
