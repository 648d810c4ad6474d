/** Agents that go on calling each other while something else happens, and the count of it. */

import { waitUntil } from '../control-plane/wait-until.ts';
import { Mismatch } from './mismatch.ts';
import { Repeated } from './repeated.ts';

const INTERVAL_MS = 25;
const TIMEOUT_MS = 20_000;

/** Has to be stopped. */
export class Talk {
  readonly #repeated: Repeated;
  readonly #callsPerRound: number;
  #rounds = 0;
  #failed = 0;
  #firstFailure = '';

  /** @param round Makes `callsPerRound` calls, and rejects when one of them fails. */
  constructor(callsPerRound: number, round: () => Promise<unknown>) {
    this.#callsPerRound = callsPerRound;
    this.#repeated = new Repeated(INTERVAL_MS, async () => {
      this.#rounds++;
      await round().catch((error: unknown) => this.#fail(error));
    });
  }

  /**
   * Goes on for so many more rounds, then ends.
   *
   * @returns calls that were made, none of which has failed.
   * @throws Mismatch when one has, or when the rounds are not made in time.
   */
  async finish(rounds: number): Promise<number> {
    const enough = this.#rounds + rounds;
    const isEnough = await waitUntil(() => this.#rounds >= enough, { timeoutMs: TIMEOUT_MS });
    await this.stop();
    const calls = this.#rounds * this.#callsPerRound;
    if (this.#failed > 0)
      throw new Mismatch('calls failed: 0', `${this.#failed} of ${calls}; the first: ${this.#firstFailure}`);
    if (!isEnough) throw new Mismatch(`${rounds} more rounds of calls`, `${rounds - enough + this.#rounds}`);
    return calls;
  }

  /** Ends it when the round under way has ended. */
  stop(): Promise<void> {
    return this.#repeated.stop();
  }

  #fail(error: unknown): void {
    this.#failed++;
    this.#firstFailure ||= error instanceof Error ? error.message : String(error);
  }
}
