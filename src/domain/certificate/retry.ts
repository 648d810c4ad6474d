/** When to try again after a certificate could not be issued. */

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 5 * 60_000;
const SHORTEST_DELAY_MS = 1_000;

/** The last failures of one identity in a row. */
export interface IssuanceFailure {
  /** `transient`: the next try may succeed. `denied`: somebody said no, and will again until the spec changes. */
  readonly kind: 'transient' | 'denied';
  /** How many in a row, 1 or more. */
  readonly attempts: number;
  /** `metadata.generation` of the identity at the last of them. */
  readonly generation: number;
}

/** What {@link planRetry} decides on; instants in milliseconds since the Unix epoch. */
export interface RetryInput {
  readonly failure: IssuanceFailure;
  /** `metadata.generation` now. */
  readonly generation: number;
  /** When the last failure happened. */
  readonly failedAtMs: number;
  /** End of the leaf in use, or `undefined` when there is none. */
  readonly notAfterMs: number | undefined;
  /** 0 or more, below 1; drawn anew for each failure. */
  readonly random: number;
}

/** Try at once, at an instant, or not before the spec changes. */
export type RetryPlan =
  | { readonly kind: 'now' }
  | { readonly kind: 'retry'; readonly atMs: number }
  | { readonly kind: 'wait' };

/**
 * Decides about the next try.
 *
 * @returns
 *   - `now`: the spec has changed since the failure.
 *   - `wait`: denied; only a change of the spec helps.
 *   - `retry`: 5 s, 10 s, 20 s ... up to 5 min, each +-50 %; never later than half of the time the leaf in use still
 *     had at the failure, but at least a second.
 *
 * Errors: none.
 */
export function planRetry({ failure, generation, failedAtMs, notAfterMs, random }: RetryInput): RetryPlan {
  if (failure.generation !== generation) return { kind: 'now' };
  if (failure.kind === 'denied') return { kind: 'wait' };
  const steppedMs = Math.min(FIRST_DELAY_MS * 2 ** (failure.attempts - 1), LONGEST_DELAY_MS);
  const jitteredMs = Math.min(steppedMs * (0.5 + random), LONGEST_DELAY_MS);
  const leftMs = (notAfterMs ?? 0) - failedAtMs;
  const boundedMs = leftMs > 0 ? Math.min(jitteredMs, leftMs / 2) : jitteredMs;
  return { kind: 'retry', atMs: failedAtMs + Math.round(Math.max(boundedMs, SHORTEST_DELAY_MS)) };
}
