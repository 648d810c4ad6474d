/** Waiting, given to whoever needs it, so that tests decide when time passes. */

import { setTimeout as after } from 'node:timers/promises';

/** Resolves after `delayMs`, or as soon as `signal` is aborted; never rejects. */
export type Wait = (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;

/** Waits on Node's timers. */
export const systemWait: Wait = async (delayMs, signal) => {
  try {
    await after(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Aborted: whoever waited looks at the signal.
  }
};
