/** How long a reflector waits, and for what; the figures are those of client-go where it has them. */

import type { Clock } from './clock.ts';

/** All in the unit of the name. Pairs are the bounds of a random choice. */
export interface ReflectorTiming {
  /** First and longest delay after a fault; doubled each time, and lengthened by up to itself at random. */
  readonly backoffMs: readonly [number, number];
  /** Without a fault for so long, the next delay is the first one again. */
  readonly healthyAfterMs: number;
  /** A watch that ends sooner counts as a fault, even if it ends in good order. */
  readonly shortWatchMs: number;
  /** Delay after a list that was refused (403, or 404: no such type yet). */
  readonly refusedMs: readonly [number, number];
  /** After this time the server is asked to end a watch. */
  readonly watchSeconds: readonly [number, number];
  /** Silence after which a watch counts as dead. Bookmarks come about once a minute. */
  readonly idleTimeoutMs: number;
}

/** What is used in production. */
export const DEFAULT_REFLECTOR_TIMING: ReflectorTiming = {
  backoffMs: [800, 30_000],
  healthyAfterMs: 120_000,
  shortWatchMs: 1_000,
  refusedMs: [10_000, 30_000],
  watchSeconds: [300, 600],
  idleTimeoutMs: 150_000,
};

/** A number within the bounds; `random` is in [0, 1). */
export function between([low, high]: readonly [number, number], random: number): number {
  return low + (high - low) * random;
}

/** Delays that grow with every fault and start again after a healthy time. */
export class Backoff {
  readonly #timing: Pick<ReflectorTiming, 'backoffMs' | 'healthyAfterMs'>;
  readonly #clock: Clock;
  readonly #random: () => number;
  #faults = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    timing: Pick<ReflectorTiming, 'backoffMs' | 'healthyAfterMs'>,
    clock: Clock,
    random: () => number,
  ) {
    this.#timing = timing;
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds to wait after one more fault. */
  next(): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastAtMs >= this.#timing.healthyAfterMs) this.#faults = 0;
    this.#lastAtMs = nowMs;
    const [firstMs, longestMs] = this.#timing.backoffMs;
    const delayMs = Math.min(firstMs * 2 ** this.#faults, longestMs);
    this.#faults += 1;
    return delayMs * (1 + this.#random());
  }
}
