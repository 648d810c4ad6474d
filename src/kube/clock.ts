/** Time, given to whoever needs it. Nothing else in the project reads a clock. */

/** A source of time. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as close to the API server's clock as is known. */
  nowMs(): number;
  /** Milliseconds that only ever grow; origin undefined. For time-outs and leases. */
  monotonicMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Beyond this difference the API server is believed, not this machine. Milliseconds. */
const MAX_SKEW_MS = 30_000;

/**
 * The machine's clock as long as it agrees with the API server's, else the API server's.
 *
 * The server's time is carried forward on the monotonic clock, so a step of this machine's wall clock is seen at
 * once, without another answer of the server.
 */
export class ReferenceClock implements Clock {
  readonly #machine: Clock;
  #server: { readonly dateMs: number; readonly monotonicMs: number } | undefined;

  constructor(machine: Clock = systemClock) {
    this.#machine = machine;
  }

  /** Takes the `Date` header of an answer that just arrived; milliseconds since the Unix epoch. */
  observeServerDate(dateMs: number): void {
    this.#server = { dateMs, monotonicMs: this.#machine.monotonicMs() };
  }

  /** This machine's clock minus the API server's, milliseconds; 0 before the first answer. */
  skewMs(): number {
    const serverMs = this.#serverNowMs();
    return serverMs === undefined ? 0 : this.#machine.nowMs() - serverMs;
  }

  /** Whether both agree: while they do not, nothing is given up that time takes away. */
  get isTrusted(): boolean {
    return Math.abs(this.skewMs()) <= MAX_SKEW_MS;
  }

  nowMs(): number {
    const machineMs = this.#machine.nowMs();
    const serverMs = this.#serverNowMs();
    return serverMs === undefined || Math.abs(machineMs - serverMs) <= MAX_SKEW_MS ? machineMs : serverMs;
  }

  /** An instant that is surely not ahead, milliseconds since the Unix epoch: now while both agree, else none, -Infinity. */
  surelyPastMs(): number {
    return this.isTrusted ? this.nowMs() : Number.NEGATIVE_INFINITY;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs();
  }

  #serverNowMs(): number | undefined {
    if (this.#server === undefined) return undefined;
    return Math.round(this.#server.dateMs + this.#machine.monotonicMs() - this.#server.monotonicMs);
  }
}
