/** The only way a test waits: for a condition, with a deadline. */

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/** How long to wait. */
export interface EventuallyOptions {
  /** Default 100,000: no test is judged by the time it takes. */
  readonly timeoutMs?: number;
}

type Falsy = false | 0 | '' | null | undefined;

const FIRST_INTERVAL_MS = 10;
const LAST_INTERVAL_MS = 200;

/**
 * Asks again and again, after 10 ms first and then ever more seldom up to 200 ms, until the answer is truthy.
 *
 * @param what the condition in words, as the end of "waited for ...".
 * @param check the answer; a throw (of `expect`, for example) counts as "not yet".
 * @returns the first truthy answer.
 * @throws Error after `timeoutMs`, with the last answer or throw.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Falsy | Promise<T | Falsy>,
  { timeoutMs = 100_000 }: EventuallyOptions = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let lastSeen: unknown = LATE;
  for (let intervalMs = FIRST_INTERVAL_MS; ; intervalMs = Math.min(intervalMs * 1.5, LAST_INTERVAL_MS)) {
    try {
      const answer = await inTime(check(), deadlineMs);
      if (answer) return answer;
      lastSeen = answer;
    } catch (error) {
      if (error !== LATE) lastSeen = error;
    }
    if (performance.now() + intervalMs > deadlineMs) throw timeoutError(what, timeoutMs, lastSeen);
    await sleep(intervalMs);
  }
}

const LATE = new Error('no answer');

/** The answer, or a rejection with LATE when it takes beyond the deadline. */
async function inTime<T>(answer: T | Promise<T>, deadlineMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(LATE), Math.max(0, deadlineMs - performance.now()));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function timeoutError(what: string, timeoutMs: number, lastSeen: unknown): Error {
  const seen = lastSeen instanceof Error ? lastSeen.message : inspect(lastSeen, { depth: 6 });
  return new Error(`waited ${timeoutMs / 1000} s for ${what}; last seen: ${seen}`);
}
