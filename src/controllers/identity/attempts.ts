/** What this process remembers of each identity between two reconciles: failures in a row, and the last leaf. */

import { planRetry } from '../../domain/certificate/retry.ts';
import type { Key } from '../../kube/object.ts';
import type { FailureReport } from './status.ts';

interface Attempt {
  readonly failures: number;
  readonly generation: number;
  readonly lastIssuedAtMs: number | undefined;
}

const NOTHING: Attempt = { failures: 0, generation: 0, lastIssuedAtMs: undefined };

/** Failures and leaves by key. */
export class Attempts {
  readonly #attempts = new Map<Key, Attempt>();
  readonly #random: () => number;

  /** `random` is in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Counts a failure, and says when to try again; milliseconds since the Unix epoch. */
  failed(
    key: Key,
    at: { readonly nowMs: number; readonly generation: number; readonly notAfterMs: number | undefined },
  ): { readonly failure: FailureReport; readonly retryAtMs: number } {
    const before = this.#attempts.get(key) ?? NOTHING;
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

  /** Ends a row of failures. */
  succeeded(key: Key): void {
    const before = this.#attempts.get(key);
    if (before !== undefined && before.failures > 0) this.#attempts.set(key, { ...before, failures: 0 });
  }

  /** Remembers that a leaf was written. */
  issued(key: Key, nowMs: number): void {
    this.#attempts.set(key, { ...(this.#attempts.get(key) ?? NOTHING), lastIssuedAtMs: nowMs });
  }

  /** When this process last wrote a leaf for the key. */
  lastIssuedAtMs(key: Key): number | undefined {
    return this.#attempts.get(key)?.lastIssuedAtMs;
  }

  /** The identity is gone. */
  forget(key: Key): void {
    this.#attempts.delete(key);
  }
}
