/**
 * Keeps the rate at which certificates of a tainted generation are replaced, whatever made many of them due at once: the
 * accidents of a hash, or an operator that was down meanwhile. Whoever has to wait is told when to come again.
 */

import type { Key } from '../../kube/object.ts';

/** So much may be made up for at once. */
const BURST_SECONDS = 1;
/** Who does not come for so long after its turn has lost it. */
const KEPT_MS = 60_000;

/**
 * One for the process. In any time of n seconds at most (n + 1) times the rate are let through, and one more.
 *
 * Instants are milliseconds since the Unix epoch.
 */
export class ReissueTurns {
  readonly #intervalMs: number;
  readonly #burst: number;
  /** Those who wait, with their turns, the earliest first. */
  readonly #turns = new Map<Key, number>();
  #lastTurnMs = 0;
  #left: number;
  #countedAtMs = 0;

  constructor({ reissuePerSecond }: { readonly reissuePerSecond: number }) {
    this.#intervalMs = 1000 / reissuePerSecond;
    this.#burst = Math.max(1, reissuePerSecond * BURST_SECONDS);
    this.#left = this.#burst;
  }

  /**
   * Asks for a turn.
   *
   * @returns When to ask again; undefined: it is let through now, and counted.
   */
  take(key: Key, nowMs: number): number | undefined {
    this.#count(nowMs);
    this.#dropLate(nowMs);
    const turnMs = this.#turns.get(key);
    if (turnMs !== undefined && turnMs > nowMs) return turnMs;
    // Nobody overtakes those who wait already.
    const isNext = turnMs !== undefined || this.#lastTurnMs <= nowMs;
    this.#turns.delete(key);
    if (isNext && this.#left >= 1) {
      this.#left -= 1;
      return undefined;
    }
    this.#lastTurnMs = Math.max(this.#lastTurnMs, nowMs) + this.#intervalMs;
    const nextMs = Math.ceil(this.#lastTurnMs);
    this.#turns.set(key, nextMs);
    return nextMs;
  }

  /** A clock that is set back gives nothing, and nobody waits for the time before. */
  #count(nowMs: number): void {
    const passedMs = nowMs - this.#countedAtMs;
    if (passedMs < 0) {
      this.#turns.clear();
      this.#lastTurnMs = 0;
    }
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, passedMs) / this.#intervalMs);
    this.#countedAtMs = nowMs;
  }

  #dropLate(nowMs: number): void {
    for (const [key, turnMs] of this.#turns) {
      if (turnMs + KEPT_MS > nowMs) return;
      this.#turns.delete(key);
    }
  }
}
