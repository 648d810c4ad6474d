/**
 * Whether a call is tried again. A token is used up by whoever gets it, so every try has a new one; and nothing is executed
 * twice that could do harm: only what was not sent, what the audience could not decide about, and what the caller says may
 * come twice.
 */

import type { RefusalName } from '../../domain/token/refusal.ts';

/** What came of one try. */
export interface TryOutcome {
  /** How many tries there were, this one included. */
  readonly attempts: number;
  /** Whether something came back, or something was lost on the way. */
  readonly result:
    | {
        readonly kind: 'answer';
        readonly status: number;
        readonly refusal: RefusalName | undefined;
        readonly retryAfterSeconds: number | undefined;
      }
    | { readonly kind: 'failed'; readonly reason: 'wrong_server' | 'unreachable' | 'aborted' | 'lost' };
}

/** What may be done with the request. */
export interface Repeatable {
  /** Whether it may be executed twice: its method is idempotent (RFC 9110 section 9.2.2), or the caller gave it a key. */
  readonly isIdempotent: boolean;
  /** Whether there is something left to send. */
  readonly canReplay: boolean;
}

/** Bounds. */
export interface RetryLimits {
  /** Tries in all. Default 4. */
  readonly attempts?: number;
  /** Before the second try, and twice as long before each further one. Default 100. */
  readonly backOffMs?: number;
  /** A server that wants more than this is not waited for. Default 30. */
  readonly maxRetryAfterSeconds?: number;
}

const RETRY_AFTER_JITTER = 0.25;

/**
 * Decides it.
 *
 * @param random From 0 to 1.
 * @returns Milliseconds to wait before the next try; undefined when there is none.
 */
export function retryDelayMs(
  { attempts, result }: TryOutcome,
  { isIdempotent, canReplay }: Repeatable,
  { limits, random }: { readonly limits: RetryLimits; readonly random: number },
): number | undefined {
  const { attempts: most = 4, backOffMs = 100, maxRetryAfterSeconds = 30 } = limits;
  if (attempts >= most || !canReplay) return undefined;
  const backOff = backOffMs * 2 ** (attempts - 1) * (1 - random / 2);
  if (result.kind === 'failed') {
    const isHarmless = result.reason === 'unreachable' || (result.reason === 'lost' && isIdempotent);
    return isHarmless ? backOff : undefined;
  }
  const { status, refusal, retryAfterSeconds: said } = result;
  if (refusal === 'unknown_key' || (refusal === 'replayed' && isIdempotent)) return backOff;
  if (status !== 503 || said === undefined || said > maxRetryAfterSeconds) return undefined;
  return Math.max(backOff, said * 1000 * (1 + random * RETRY_AFTER_JITTER));
}

/**
 * Reads `Retry-After`; RFC 9110 section 10.2.3.
 *
 * @param nowMs Milliseconds since the Unix epoch, for the form that is a date.
 * @returns Seconds, 0 and more; undefined when there is none or it is neither form.
 */
export function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  const atMs = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - nowMs) / 1000);
}
