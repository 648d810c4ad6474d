/** Answers that the application does not write. None says more than its status, but for a refusal, which says its name. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerRefusal } from '../../domain/token/wire/refusal-answer.ts';
import { Refused } from './delegation.ts';

/** An answer with a body of JSON. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** RFC 9457 section 4.2.1: a problem that is no more than its status. */
function problem(status: number, title: string): Answer {
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return { status, headers, body: JSON.stringify({ type: 'about:blank', title, status }) };
}

/** No route of policy.json is like the request. */
export const NOT_FOUND: Answer = problem(404, 'Not Found');
/** The request has no form that the application could be asked with. */
export const BAD_REQUEST: Answer = problem(400, 'Bad Request');
/** The body is longer than the server takes. */
export const TOO_LARGE: Answer = problem(413, 'Content Too Large');
const FAILED: Answer = problem(500, 'Internal Server Error');

/** Writes an answer; where another one has begun, that one is broken off. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Writes the answer for what the application has thrown: its refusal, or that it failed. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refused)) {
    sendAnswer(response, FAILED);
    return;
  }
  sendAnswer(response, answerRefusal(error.refusal, schemeOf(response.req)));
}

/** The scheme that a challenge is made with: that of the request. */
export function schemeOf({ headers }: IncomingMessage): 'Bearer' | 'DPoP' {
  return /^dpop /i.test(headers.authorization ?? '') ? 'DPoP' : 'Bearer';
}
