/** Errors as results, so that a test can compare them. */

import { isKubeError, type KubeError } from '../../src/kube/errors.ts';

/** The KubeError that `call` rejects with. @throws anything else that it does, a success included. */
export async function caughtKubeError(call: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (!isKubeError(error)) throw error;
  return error;
}
