/** Which failures of one call are tried again at once by the transport, and after how long. */

import type { KubeError } from './errors.ts';

/** Attempts that a server can ask for by Retry-After before the call fails; the number of client-go. */
const MAX_ATTEMPTS = 10;

/** Waits are lengthened by up to this share, so that callers told the same do not come back together. */
const JITTER = 0.25;

/** Codes of a connection that broke after the request was sent. Time-outs are not among them. */
const RESETS: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ECONNRESET',
  'EPIPE',
]);

/** The attempts of one call. */
export class RetryPolicy {
  readonly #repeatable: boolean;
  readonly #random: () => number;
  readonly #spent = new Set<'renewal' | 'reconnection'>();
  #attempts = 0;

  /**
   * @param repeatable whether the call may be repeated after a reset: a GET that has not handed out any of its answer.
   * @param random returns a number in [0, 1).
   */
  constructor(repeatable: boolean, random: () => number) {
    this.#repeatable = repeatable;
    this.#random = random;
  }

  /**
   * How long to wait before the next attempt, milliseconds; undefined when the call has failed.
   *
   * A 401 is tried once more (the caller renews the credentials), a reset once if the call is repeatable, and 429 or
   * 5xx with Retry-After up to ten attempts in all.
   */
  delayMs(error: KubeError): number | undefined {
    this.#attempts += 1;
    if (error.code === 'KUBE_UNAUTHORIZED') return this.#once('renewal');
    if (error.reason !== undefined && RESETS.has(error.reason)) {
      return this.#repeatable ? this.#once('reconnection') : undefined;
    }
    const asked = error.code === 'KUBE_TOO_MANY_REQUESTS' || (error.httpStatus ?? 0) >= 500;
    if (!asked || error.retryAfterMs === undefined || this.#attempts >= MAX_ATTEMPTS) return undefined;
    return error.retryAfterMs * (1 + JITTER * this.#random());
  }

  #once(kind: 'renewal' | 'reconnection'): number | undefined {
    if (this.#spent.has(kind)) return undefined;
    this.#spent.add(kind);
    return 0;
  }
}
