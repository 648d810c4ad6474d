/** A clock and timers that stand still until a test moves them. Nothing waits for real time. */

import type { Clock } from '../../src/kube/clock.ts';
import type { Cancel, Timers } from '../../src/kube/timers.ts';

/** The wall clock of a new manual clock, milliseconds since the Unix epoch. */
export const T0: number = Date.UTC(2026, 0, 1);

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Lets every promise that can settle without a timer settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Both clocks and all timers of one process. */
export class ManualClock implements Clock, Timers {
  #wallMs = T0;
  #monotonicMs = 1_000;
  #timers: Timer[] = [];

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many timers are waiting. */
  get timerCount(): number {
    return this.#timers.length;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer: Timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass; timers run in order, each followed by what it set off. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#takeDue(endMs); timer !== undefined; timer = this.#takeDue(endMs)) {
      this.freeze(Math.max(0, timer.atMs - this.#monotonicMs));
      timer.callback();
      await settle();
    }
    this.freeze(endMs - this.#monotonicMs);
  }

  /** Time passes and no timer runs: a process that is stopped, or a loop that is blocked. */
  freeze(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** The wall clock is set; or, with `ms` above 0, the machine was suspended so long. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  #takeDue(endMs: number): Timer | undefined {
    const [first] = this.#timers.toSorted((a, b) => a.atMs - b.atMs);
    if (first === undefined || first.atMs > endMs) return undefined;
    this.#timers = this.#timers.filter((other) => other !== first);
    return first;
  }
}
