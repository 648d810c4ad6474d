/** A bound on how long a call is waited for. */

import { KubeError } from './errors.ts';
import type { Timers } from './timers.ts';

/**
 * Runs `call` with a signal of its own that is aborted after `timeoutMs`, and stops waiting at that moment even if
 * `call` ignores the signal.
 *
 * @returns what `call` returns.
 * @throws what `call` throws; KubeError KUBE_UNAVAILABLE with reason `Timeout` when the time is over.
 */
export async function withTimeout<T>(
  timers: Timers,
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const expired = Promise.withResolvers<never>();
  const cancel = timers.after(timeoutMs, () => {
    expired.reject(
      new KubeError('KUBE_UNAVAILABLE', `no answer within ${Math.round(timeoutMs)} ms`, {
        reason: 'Timeout',
      }),
    );
    abort.abort();
  });
  try {
    return await Promise.race([expired.promise, call(abort.signal)]);
  } finally {
    cancel();
  }
}
