/** The one way to wait for something that sends no signal: ask again until it is so, or a deadline has passed. */

import { setTimeout as sleep } from 'node:timers/promises';

/** How long to go on asking, and how often. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** Asks until the condition holds (true) or the time is up (false). What the condition throws goes to the caller. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, intervalMs = 50 }: WaitOptions,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() >= deadlineMs) return false;
    await sleep(intervalMs);
  }
  return true;
}
