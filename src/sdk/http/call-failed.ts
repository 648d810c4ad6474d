/** How a call to another agent fails. Every failure has one of these names; none says what a token says. */

import type { RefusalName } from '../../domain/token/refusal.ts';

/**
 * The names.
 *
 * - `invalid_request`: the call cannot be made at all: no https URL, a header field that only the SDK writes, a `delegate` that
 *   lacks a member or has one that nobody knows.
 * - `unknown_audience`: the host of the URL is no agent that policy.json knows.
 * - `too_large`: token, chain and proof do not fit into the header of a request.
 * - `refused`: somebody said no; `refusal` says what, `refusedBy` who.
 * - `wrong_server`: who answers there is not the audience. Nothing was sent.
 * - `unreachable`: nobody answers there, or not with TLS. Nothing was sent.
 * - `timed_out`: the time that the caller gave is over.
 * - `aborted`: the caller gave up, or the agent was closed.
 * - `outcome_unknown`: the request was sent, and whether it was executed nobody can tell.
 */
export type CallFailureCode =
  | 'invalid_request'
  | 'unknown_audience'
  | 'too_large'
  | 'refused'
  | 'wrong_server'
  | 'unreachable'
  | 'timed_out'
  | 'aborted'
  | 'outcome_unknown';

/** What is known of a failure beside its name. */
export interface CallFailure {
  /** Whether the other side may have executed the request. Absent means that it has not. */
  readonly wasSent?: boolean;
  /** Of `refused`, and of `outcome_unknown` when the last word was `replayed`. */
  readonly refusal?: RefusalName;
  /** `self` before anything was sent: the other side would have refused it too. */
  readonly refusedBy?: 'self' | 'audience';
  /** Status of the answer that refused. */
  readonly status?: number;
  /** When the other side thinks that it is worth another try. */
  readonly retryAfterSeconds?: number;
  /** `txn` of the token. */
  readonly transaction?: string;
  /** What the caller gave up with. */
  readonly cause?: unknown;
}

/** A call that came to nothing. */
export class CallFailed extends Error {
  readonly code: CallFailureCode;
  readonly wasSent: boolean;
  readonly refusal: RefusalName | undefined;
  readonly refusedBy: CallFailure['refusedBy'];
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly transaction: string | undefined;
  /** Tries for which a token was made; 0 when there was none. */
  readonly attempts: number;

  constructor(code: CallFailureCode, message: string, failure: CallFailure & { readonly attempts?: number }) {
    super(message, failure.cause === undefined ? {} : { cause: failure.cause });
    this.name = 'CallFailed';
    this.code = code;
    this.wasSent = failure.wasSent ?? false;
    this.refusal = failure.refusal;
    this.refusedBy = failure.refusedBy;
    this.status = failure.status;
    this.retryAfterSeconds = failure.retryAfterSeconds;
    this.transaction = failure.transaction;
    this.attempts = failure.attempts ?? 0;
  }
}
