/** Turns an answer of the API server that is not a success (a Status of meta/v1) into a `KubeError`. */

import type { KubeErrorCode, RequestSubject, StatusCause } from './errors.ts';
import { describeSubject, KubeError } from './errors.ts';

/** Longest wait that a server can impose, milliseconds. */
const MAX_RETRY_AFTER_MS = 60_000;

const MAX_SERVER_MESSAGE_LENGTH = 500;
const MAX_CAUSES = 20;
const MAX_FIELD_LENGTH = 200;

/** An answer with a status of 300 or more, or the object of an ERROR event. */
export interface FailedAnswer {
  readonly httpStatus: number;
  /** The parsed body; anything that is not a Status is ignored. */
  readonly status: unknown;
  /** The `Retry-After` header, seconds or an HTTP date (RFC 9110 section 10.2.3). */
  readonly retryAfter?: string | undefined;
  /** The clock that an HTTP date is compared with; milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/**
 * The error for a failed answer.
 *
 * An Invalid whose cause is `metadata.uid` is a conflict: the name now belongs to another object. A write that was
 * answered with 5xx counts as lost, because the server may have stored it before it failed.
 */
export function statusError(subject: RequestSubject, answer: FailedAnswer): KubeError {
  const status = asRecord(answer.status);
  const reason = asReason(status['reason']);
  const causes = causesOf(status);
  const message = `${describeSubject(subject)}: ${answer.httpStatus} ${reason ?? 'no reason given'}`;
  return new KubeError(codeOf(answer.httpStatus, reason, causes), message, {
    httpStatus: answer.httpStatus,
    reason,
    causes,
    retryAfterMs: retryAfterMs(answer.retryAfter, answer.nowMs) ?? retryAfterOfDetails(status),
    serverMessage: isSecret(subject) ? undefined : asServerMessage(status['message']),
    lost: answer.httpStatus >= 500 && !isRead(subject),
  });
}

/** Whether the subject's verb changes nothing. */
export function isRead(subject: RequestSubject): boolean {
  return subject.verb === 'get' || subject.verb === 'list' || subject.verb === 'watch';
}

function codeOf(
  httpStatus: number,
  reason: string | undefined,
  causes: readonly StatusCause[],
): KubeErrorCode {
  if (httpStatus >= 500) return 'KUBE_UNAVAILABLE';
  switch (httpStatus) {
    case 401:
      return 'KUBE_UNAUTHORIZED';
    case 403:
      return 'KUBE_FORBIDDEN';
    case 404:
      return 'KUBE_NOT_FOUND';
    case 408:
      return 'KUBE_UNAVAILABLE';
    case 409:
      return reason === 'AlreadyExists' ? 'KUBE_ALREADY_EXISTS' : 'KUBE_CONFLICT';
    case 410:
      return 'KUBE_GONE';
    case 422:
      return causes.some((cause) => cause.field === 'metadata.uid') ? 'KUBE_CONFLICT' : 'KUBE_INVALID';
    case 429:
      return 'KUBE_TOO_MANY_REQUESTS';
    default:
      return httpStatus >= 400 ? 'KUBE_BAD_REQUEST' : 'KUBE_PROTOCOL';
  }
}

/** Milliseconds to wait, 0 to `MAX_RETRY_AFTER_MS`; undefined when the header is absent or senseless. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const delayMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS);
}

function retryAfterOfDetails(status: Readonly<Record<string, unknown>>): number | undefined {
  const seconds = asRecord(status['details'])['retryAfterSeconds'];
  return typeof seconds === 'number' && seconds > 0
    ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS)
    : undefined;
}

function causesOf(status: Readonly<Record<string, unknown>>): readonly StatusCause[] {
  const causes = asRecord(status['details'])['causes'];
  if (!Array.isArray(causes)) return [];
  return causes.slice(0, MAX_CAUSES).map((cause: unknown) => ({
    reason: asReason(asRecord(cause)['reason']) ?? '',
    field: asText(asRecord(cause)['field'])?.slice(0, MAX_FIELD_LENGTH) ?? '',
  }));
}

/** Reasons are CamelCase words; anything else could smuggle content into a message. */
function asReason(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z]{1,64}$/.test(value) ? value : undefined;
}

function asServerMessage(value: unknown): string | undefined {
  return asText(value)?.slice(0, MAX_SERVER_MESSAGE_LENGTH);
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isSecret(subject: RequestSubject): boolean {
  return subject.type.group === '' && subject.type.plural === 'secrets';
}
