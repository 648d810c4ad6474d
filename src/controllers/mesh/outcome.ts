/** What came of keeping the mesh objects of one identity: a value, so that it stops nothing else. */

import type { Coverage } from '../../domain/mesh/ready.ts';
import { isKubeError, isNamespaceTerminating, type KubeError } from '../../kube/errors.ts';

/**
 * - `outside`: there is nothing to keep: the namespace is not governed, or the ServiceAccount is another identity's.
 * - `rendered`: the objects are as they should be. `coverage` is undefined while the pods are not known.
 * - `unchanged`: nothing new can be said; caches that are not there yet wake the identity.
 * - `pending`: it waits for what `message` says.
 * - `unanswered`: the server did not answer; the loop tries again at its own pace.
 * - `failed`: the server refuses.
 *
 * `recheckAtMs` is when to look again, milliseconds since the Unix epoch; undefined: something will wake the identity.
 */
export type MeshOutcome =
  | { readonly kind: 'outside' | 'unchanged'; readonly recheckAtMs: number | undefined }
  | {
      readonly kind: 'rendered';
      readonly coverage: Coverage | undefined;
      readonly isDryRun: boolean;
      readonly recheckAtMs: undefined;
    }
  | {
      readonly kind: 'pending';
      readonly message: string;
      readonly isDryRun: boolean;
      readonly recheckAtMs: undefined;
    }
  | { readonly kind: 'unanswered'; readonly error: KubeError; readonly recheckAtMs: undefined }
  | {
      readonly kind: 'failed';
      readonly reason: 'MeshFailed' | 'NamespaceTerminating';
      readonly message: string;
      readonly isDryRun: boolean;
      readonly recheckAtMs: number | undefined;
    };

/** What an error of the API server means for the objects. */
export type WriteFailure = 'terminating' | 'refused' | 'passing';

/** The API server said no to this. Everything else is over soon, or concerns everything. */
const SAID_NO = ['KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN', 'KUBE_INVALID'] as const;

/** Judges it. */
export function writeFailureOf(error: KubeError): WriteFailure {
  if (isNamespaceTerminating(error)) return 'terminating';
  return isKubeError(error, ...SAID_NO) ? 'refused' : 'passing';
}

/** Says what refuses, as far as the server tells. */
export function refusalMessage(error: KubeError): string {
  const fields = error.causes.map(({ field }) => field).filter((field) => field !== '');
  const where = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  return `${error.message}${where}. It is tried again by itself; a missing role, a quota or an admission policy may be what refuses it. What is there stays as strict as it is.`;
}
