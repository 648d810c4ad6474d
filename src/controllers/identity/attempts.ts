/** What this process remembers of each identity between two reconciles. Nothing here is needed for being right. */

import { planRetry } from '../../domain/certificate/retry.ts';
import { recentRounds, repairPauseUntilMs } from '../../domain/identity/repair-loop.ts';
import type { Key } from '../../kube/object.ts';
import type { FailureReport } from './status.ts';

interface Attempt {
  /** Refusals of the API server in a row, for one generation. */
  readonly failures: number;
  readonly generation: number;
  /** Attempts in a row that got no answer. */
  readonly unanswered: number;
  readonly lastIssuedAtMs: number | undefined;
  readonly wipedAtMs: number | undefined;
  /** When something broken was mended, oldest first; those of the last hour. */
  readonly mendedAtMs: readonly number[];
  /** Digest of the trust bundle that its Secrets were last seen to carry. */
  readonly carriedSha256: string | undefined;
}

const NOTHING: Attempt = {
  failures: 0,
  generation: 0,
  unanswered: 0,
  lastIssuedAtMs: undefined,
  wipedAtMs: undefined,
  mendedAtMs: [],
  carriedSha256: undefined,
};

/** Attempts by key. */
export class Attempts {
  readonly #attempts = new Map<Key, Attempt>();
  readonly #random: () => number;

  /** `random` is in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Counts a refusal, and says when to try again; milliseconds since the Unix epoch. */
  failed(
    key: Key,
    at: { readonly nowMs: number; readonly generation: number; readonly notAfterMs: number | undefined },
  ): { readonly failure: FailureReport; readonly retryAtMs: number } {
    const before = this.#of(key);
    const failures = before.generation === at.generation ? before.failures + 1 : 1;
    this.#attempts.set(key, { ...before, failures, generation: at.generation });
    const plan = planRetry({
      failure: { kind: 'transient', attempts: failures, generation: at.generation },
      generation: at.generation,
      failedAtMs: at.nowMs,
      notAfterMs: at.notAfterMs,
      random: this.#random(),
    });
    return {
      failure: { attempts: failures, lastFailureMs: at.nowMs },
      retryAtMs: plan.kind === 'retry' ? plan.atMs : at.nowMs,
    };
  }

  /** Counts an attempt without an answer, and gives how many there were in a row. */
  unanswered(key: Key): number {
    const before = this.#of(key);
    this.#attempts.set(key, { ...before, unanswered: before.unanswered + 1 });
    return before.unanswered + 1;
  }

  /** Ends a row of failures. */
  succeeded(key: Key): void {
    const before = this.#attempts.get(key);
    if (before === undefined || before.failures + before.unanswered === 0) return;
    this.#attempts.set(key, { ...before, failures: 0, unanswered: 0 });
  }

  /** Remembers that a leaf was written. */
  issued(key: Key, nowMs: number): void {
    this.#attempts.set(key, { ...this.#of(key), lastIssuedAtMs: nowMs });
  }

  /** Remembers that something broken was mended. */
  mended(key: Key, nowMs: number): void {
    const before = this.#of(key);
    this.#attempts.set(key, { ...before, mendedAtMs: [...recentRounds(before.mendedAtMs, nowMs), nowMs] });
  }

  /** Remembers that a trust bundle is in every Secret of the identity that needs it; `sha256` is its digest. */
  carried(key: Key, sha256: string): void {
    const before = this.#of(key);
    if (before.carriedSha256 !== sha256) this.#attempts.set(key, { ...before, carriedSha256: sha256 });
  }

  /** Whether it was, and is the one that was last. */
  hasCarried(key: Key, sha256: string): boolean {
    return this.#of(key).carriedSha256 === sha256;
  }

  /** Remembers that the key of the identity was taken away: older leaves are not accepted again. */
  wiped(key: Key, nowMs: number): void {
    this.#attempts.set(key, { ...this.#of(key), wipedAtMs: nowMs });
  }

  /** When this process last wrote a leaf for the key. */
  lastIssuedAtMs(key: Key): number | undefined {
    return this.#attempts.get(key)?.lastIssuedAtMs;
  }

  /** When this process last took the key of the identity away. */
  wipedAtMs(key: Key): number | undefined {
    return this.#attempts.get(key)?.wipedAtMs;
  }

  /** Until when mending has to wait, if it has to. */
  pauseUntilMs(key: Key, nowMs: number): number | undefined {
    return repairPauseUntilMs(this.#of(key).mendedAtMs, nowMs);
  }

  /** The identity is gone. */
  forget(key: Key): void {
    this.#attempts.delete(key);
  }

  #of(key: Key): Attempt {
    return this.#attempts.get(key) ?? NOTHING;
  }
}
