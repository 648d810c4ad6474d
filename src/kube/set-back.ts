/** Notices that a wall clock, which is compared with the monotonic one, was set back. */

import type { Clock } from './clock.ts';

/** Watches one clock, whenever it is asked to. */
export class SetBack {
  readonly #clock: Clock;
  readonly #leastMs: number;
  /** The wall clock minus the monotonic one, the greatest since the last notice. */
  #aheadMs = Number.NEGATIVE_INFINITY;
  #noticedMs = Number.NEGATIVE_INFINITY;

  /** @param leastMs What is less is no step; nor is one noticed more often than that. */
  constructor(clock: Clock, leastMs: number) {
    this.#clock = clock;
    this.#leastMs = leastMs;
  }

  /** Looks at the clock. */
  look(): void {
    this.#aheadMs = Math.max(this.#aheadMs, this.#clock.nowMs() - this.#clock.monotonicMs());
  }

  /** Whether the clock stands behind what it was at some look since the last notice. True once for each time. */
  isNoticed(): boolean {
    this.look();
    const monotonicMs = this.#clock.monotonicMs();
    const aheadMs = this.#clock.nowMs() - monotonicMs;
    if (this.#aheadMs - aheadMs <= this.#leastMs || monotonicMs - this.#noticedMs < this.#leastMs)
      return false;
    this.#aheadMs = aheadMs;
    this.#noticedMs = monotonicMs;
    return true;
  }
}
