/** What it means for an object, and what is said of it, when the API server did not carry out a write. */

import { isKubeError, isNamespaceTerminating, type KubeError } from '../kube/errors.ts';

/**
 * - `passing`: nothing is wrong with the object, and in a moment all is well.
 * - `terminating`: the namespace is going away.
 * - `refused`: the server said no to this; tried again at the pace of refusals.
 * - `unanswered`: everything else; it concerns everything, and goes at the pace of the loop.
 */
export type ApiAnswer = 'passing' | 'terminating' | 'refused' | 'unanswered';

/** So many unanswered in a row, some three seconds, before status says so. */
export const TELL_AFTER_UNANSWERED = 6;

/** What status says of `terminating`. */
export const TERMINATING_MESSAGE = 'The namespace is being deleted and takes no new objects.';

/** Judges it. `wasContested`: this try was decided by a read past the cache, so that no late cache explains a taken name. */
export function judgeAnswer(error: KubeError, wasContested = false): ApiAnswer {
  if (isNamespaceTerminating(error)) return 'terminating';
  if (isKubeError(error, 'KUBE_ABORTED', 'KUBE_CONFLICT', 'KUBE_LEASE_NOT_HELD')) return 'passing';
  if (isKubeError(error, 'KUBE_ALREADY_EXISTS') && !wasContested) return 'passing';
  return isKubeError(error, 'KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN', 'KUBE_INVALID') ? 'refused' : 'unanswered';
}

/** What refuses, as far as the server tells, and the fields it names: the beginning of a sentence. */
export function describeRefusal({ message, causes }: KubeError): string {
  const fields = causes.map(({ field }) => field).filter((field) => field !== '');
  return fields.length === 0 ? message : `${message} (${fields.join(', ')})`;
}

/** What status says of `unanswered` once that lasts. */
export function unansweredMessage({ message }: KubeError): string {
  return `${message}. It is tried again by itself, every few seconds.`;
}
