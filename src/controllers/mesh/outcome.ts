/** What came of keeping the mesh objects of one identity: a value, so that it stops nothing else. */

import type { Coverage } from '../../domain/mesh/ready.ts';
import type { KubeError } from '../../kube/errors.ts';
import { describeRefusal } from '../api-answer.ts';

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

/** Says what refuses, as far as the server tells. */
export function refusalMessage(error: KubeError): string {
  return `${describeRefusal(error)}. It is tried again by itself; a missing role, a quota or an admission policy may be what refuses it. What is there stays as strict as it is.`;
}
