/** Up to when this process has taken note of what came in: a machine that has too much to do stops it for seconds. */

const INTERVAL_MS = 10;

/** Looks all the time until it is closed. Instants are milliseconds of the monotonic clock. */
export class Wakefulness {
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #awakeAtMs = this.#lastMs;

  constructor() {
    this.#timer = setInterval(() => {
      // Between two turns of a timer everything is read that has come in before the first of them.
      this.#awakeAtMs = this.#lastMs;
      this.#lastMs = performance.now();
    }, INTERVAL_MS);
  }

  /** Whatever happened before this has been noticed; what happened since may not have been. */
  get awakeAtMs(): number {
    return this.#awakeAtMs;
  }

  /** Ends it. */
  close(): void {
    clearInterval(this.#timer);
  }
}
