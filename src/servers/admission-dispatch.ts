/** From a request of the API server to the answer of the reviewer that its path names. */

import { randomUUID } from 'node:crypto';
import type { Reviewer } from '../admission/review.ts';
import type { Log } from '../observe/log.ts';
import { failureResponse, parseReview, reviewResponse } from './admission-review.ts';

/** How a review ended; `unreadable` is not answered as a review at all. */
export type ReviewOutcome = 'allowed' | 'refused' | 'failed' | 'unreadable';

/** Where reviews are reported to. Must not throw. */
export interface ReviewObserver {
  /** `plural` is one of those that have a reviewer. */
  reviewed(plural: string, outcome: ReviewOutcome, seconds: number): void;
}

/** Who reviews what. */
export interface Dispatch {
  /** By plural: `/review/<plural>` asks it. */
  readonly reviewers: Readonly<Record<string, Reviewer>>;
  readonly log: Log;
  readonly observer?: ReviewObserver;
}

/** An answer of HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: 'application/json' | 'text/plain; charset=utf-8';
  readonly text: string;
}

const PREFIX = '/review/';

/** The plural that a path asks about; undefined when nobody reviews it. */
export function reviewedBy({ reviewers }: Dispatch, target: string): string | undefined {
  const [path = ''] = target.split('?', 1);
  const plural = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : '';
  return Object.hasOwn(reviewers, plural) ? plural : undefined;
}

/** Decides. What the reviewer throws becomes a refusal, because nobody has found out that the object is legal. */
export function answerReview(dispatch: Dispatch, plural: string, body: Buffer): HttpAnswer {
  const startedMs = performance.now();
  const { answer, outcome } = decide(dispatch, plural, body);
  dispatch.observer?.reviewed(plural, outcome, (performance.now() - startedMs) / 1000);
  return answer;
}

/** A short answer for people. */
export function plainAnswer(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n` };
}

function decide(
  { reviewers, log }: Dispatch,
  plural: string,
  body: Buffer,
): { readonly answer: HttpAnswer; readonly outcome: ReviewOutcome } {
  const parsed = parseReview(body, plural);
  if (parsed.kind === 'unreadable') {
    log.warn({ plural, problem: parsed.problem }, 'review not readable');
    return { answer: plainAnswer(400, parsed.problem), outcome: 'unreadable' };
  }
  const { uid } = parsed.request;
  try {
    const review = reviewers[plural];
    if (review === undefined) throw new TypeError(`nobody reviews ${plural}`);
    const answer = review(parsed.request);
    return { answer: json(reviewResponse(uid, answer)), outcome: answer.kind };
  } catch (error) {
    const errorId = randomUUID();
    log.error({ plural, errorId, ...placeOf(error) }, 'review failed');
    return { answer: json(failureResponse(uid, errorId)), outcome: 'failed' };
  }
}

function json(text: string): HttpAnswer {
  return { status: 200, contentType: 'application/json', text };
}

/** What kind of error, and where. Not its message: it may quote the object. */
function placeOf(error: unknown): { readonly error: string; readonly at?: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error };
  const at = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error.name, at: at.map((line) => line.trim()) };
}
