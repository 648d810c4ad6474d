/** What can go wrong between this process and the API server: one table of codes, one class. */

import type { ResourceType } from './object.ts';

/**
 * Every code, and whether doing the same again later can help. A conflict is retryable after a fresh read, a gone
 * resource version after a new list. An answer that makes no sense is often that of something in between.
 */
export const KUBE_ERRORS = {
  KUBE_NOT_FOUND: { retryable: false },
  KUBE_ALREADY_EXISTS: { retryable: false },
  KUBE_CONFLICT: { retryable: true },
  KUBE_GONE: { retryable: true },
  KUBE_INVALID: { retryable: false },
  KUBE_BAD_REQUEST: { retryable: false },
  KUBE_FORBIDDEN: { retryable: false },
  KUBE_UNAUTHORIZED: { retryable: true },
  KUBE_TOO_MANY_REQUESTS: { retryable: true },
  KUBE_UNAVAILABLE: { retryable: true },
  KUBE_ABORTED: { retryable: false },
  KUBE_LEASE_NOT_HELD: { retryable: false },
  KUBE_PROTOCOL: { retryable: true },
  KUBE_NO_CREDENTIALS: { retryable: false },
} as const;

/** One of the codes of `KUBE_ERRORS`. */
export type KubeErrorCode = keyof typeof KUBE_ERRORS;

/** What a request is about; for messages and metrics. `verb` is the RBAC verb, or `apply`. */
export interface RequestSubject {
  readonly verb: string;
  readonly type: ResourceType;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** One cause of a Status of meta/v1. Its message is left out on purpose: it quotes values. */
export interface StatusCause {
  readonly reason: string;
  readonly field: string;
}

/** What is known of a failure beyond its code and message. */
export interface KubeErrorDetails {
  readonly httpStatus?: number | undefined;
  /** `reason` of the server's Status, or this side's own: `Timeout`, `AnswerTooLarge`, a socket error code. */
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  readonly serverMessage?: string | undefined;
  readonly lost?: boolean | undefined;
  readonly cause?: unknown;
}

/** A call of the API server that did not do what was asked. The message carries no part of any body. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  readonly httpStatus: number | undefined;
  readonly reason: string | undefined;
  /** How long the server asks to wait, milliseconds, at most 60,000. */
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly StatusCause[];
  /** The server's own words, at most 500 characters; never kept for Secrets. */
  readonly serverMessage: string | undefined;
  /** True for a write that may or may not have happened: read before acting on it. */
  readonly lost: boolean;

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.httpStatus = details.httpStatus;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
    this.causes = details.causes ?? [];
    this.serverMessage = details.serverMessage;
    this.lost = details.lost ?? false;
  }

  /** Whether doing the same again later can help. */
  get retryable(): boolean {
    return KUBE_ERRORS[this.code].retryable;
  }
}

/** Whether `error` is a `KubeError`, of one of the codes if any are given. */
export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** Whether `error` is that of a write that was not refused: carried out perhaps, although its answer did not come whole. */
export function isUnanswered(error: unknown): boolean {
  return isKubeError(error) && error.lost && (error.httpStatus ?? 0) < 300;
}

/** The same error, of which an earlier attempt may have had an effect. */
export function asLost(error: KubeError): KubeError {
  return new KubeError(error.code, error.message, { ...error, cause: error.cause, lost: true });
}

/** `<verb> <plural> <namespace/name>`, as much of it as the subject has. */
export function describeSubject(subject: RequestSubject): string {
  const where = [subject.namespace, subject.name].filter((part) => part !== undefined).join('/');
  return `${subject.verb} ${subject.type.plural}${where === '' ? '' : ` ${where}`}`;
}

/** Whether the namespace is going away, so that nothing can be created in it (cause `NamespaceTerminating`). */
export function isNamespaceTerminating(error: unknown): boolean {
  return isKubeError(error) && error.causes.some((cause) => cause.reason === 'NamespaceTerminating');
}
