/** Reads answers of the API server: success or Status, JSON or not. */

import type { RequestSubject } from './errors.ts';
import { describeSubject, KubeError } from './errors.ts';
import type { Answer, AnswerStart } from './exchange.ts';
import { isRead, statusError } from './status-error.ts';

/** The first value of a header; `name` in lower case. */
export function headerOf(answer: AnswerStart, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Gives the answer back. @throws KubeError for a status of 300 or more; `nowMs` since the Unix epoch. */
export function assertSuccess(subject: RequestSubject, answer: Answer, nowMs: number): Answer {
  if (answer.status < 300) return answer;
  const retryAfter = headerOf(answer, 'retry-after');
  throw statusError(subject, { httpStatus: answer.status, status: tryParse(answer.body), retryAfter, nowMs });
}

/** The body as JSON; undefined when it is empty. @throws KubeError KUBE_PROTOCOL. */
export function parseAnswer<T>(subject: RequestSubject, answer: Answer): T {
  if (answer.body.length === 0) return undefined as T;
  const parsed = tryParse(answer.body);
  if (parsed === undefined) throw protocolError(subject, 'NotJson', answer.status);
  return parsed as T;
}

/** An answer that makes no sense; a write may nevertheless have happened. Carries no part of the answer. */
export function protocolError(subject: RequestSubject, reason: string, httpStatus?: number): KubeError {
  const message = `${describeSubject(subject)}: unusable answer (${reason})`;
  return new KubeError('KUBE_PROTOCOL', message, { reason, httpStatus, lost: !isRead(subject) });
}

function tryParse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
