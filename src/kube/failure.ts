/** What a thrown value means to a loop that will try again, and what a log line may say of it. */

import type { LogFields } from '../observe/log.ts';
import { isKubeError } from './errors.ts';

/**
 * - `race`: somebody else was faster, or the lease is in doubt; normal, tried again, not an error.
 * - `retryable`: could not act, and doing the same later can help.
 * - `terminal`: could not act, and only a change of something else can help.
 * - `timeout`: took longer than it may.
 * - `bug`: not an error that anything of ours throws on purpose.
 */
export type FailureKind = 'race' | 'retryable' | 'terminal' | 'timeout' | 'bug';

/** A thrown value, judged. */
export interface Failure {
  readonly kind: FailureKind;
  /** How long the server asked to wait, milliseconds; 0 when it did not. */
  readonly retryAfterMs: number;
  readonly fields: LogFields;
}

/** The shape that the error classes of all layers share. */
interface CodedError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Judges what a reconcile threw.
 *
 * @param timedOut whether its time was over when it threw; then nothing else matters.
 */
export function judgeFailure(error: unknown, timedOut: boolean): Failure {
  const retryAfterMs = isCoded(error) ? (error.retryAfterMs ?? 0) : 0;
  return { kind: kindOf(error, timedOut), retryAfterMs, fields: fieldsOf(error) };
}

/**
 * What a log line may say of a thrown value: code and message of an error of ours, the stack of any other.
 *
 * The text of a SyntaxError is left out, because JSON.parse quotes its input there.
 */
export function fieldsOf(error: unknown): LogFields {
  if (isCoded(error)) return { code: error.code, error: error.message };
  if (!(error instanceof Error)) return { error: `thrown: ${typeof error}` };
  const stack = error.stack ?? error.name;
  return { error: error instanceof SyntaxError ? stack.replace(error.message, '(text left out)') : stack };
}

function kindOf(error: unknown, timedOut: boolean): FailureKind {
  if (timedOut) return 'timeout';
  if (isKubeError(error, 'KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS', 'KUBE_LEASE_NOT_HELD')) return 'race';
  // Gone since it was read, or not there yet: the next look at the caches tells.
  if (isKubeError(error, 'KUBE_ABORTED', 'KUBE_NOT_FOUND')) return 'retryable';
  if (!isCoded(error)) return 'bug';
  return error.retryable ? 'retryable' : 'terminal';
}

function isCoded(error: unknown): error is CodedError {
  if (!(error instanceof Error)) return false;
  const { code, retryable } = error as Partial<CodedError>;
  return typeof code === 'string' && typeof retryable === 'boolean';
}
