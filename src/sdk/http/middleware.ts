/** The guard in the form of Connect and Express: functions of request, response and what comes next. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { NOT_FOUND, sendAnswer, sendError } from './answers.ts';
import { type Delegation, Refused } from './delegation.ts';
import type { Guard } from './guard.ts';

declare module 'http' {
  interface IncomingMessage {
    /** The call that the request is; set by the server of the agent or by its middleware. */
    delegation?: Delegation;
  }
}

/** Goes on; with an error, to whoever handles errors. */
export type Next = (error?: unknown) => void;

/** A step of a chain. Frameworks have requests of their own, which are more than that of Node. */
export type Middleware<R extends IncomingMessage = IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next: Next,
) => void;

/** Lets through what the guard lets through, with `delegation` on the request, and answers everything else. */
export function guardMiddleware(guard: Guard): Middleware {
  return (request, response, next) => {
    if (request.delegation !== undefined) {
      next(); // the server has asked already, and the token is used up
      return;
    }
    admit(guard, request, response).then((isIn) => {
      if (isIn) next();
    }, next);
  };
}

/**
 * Asks the guard, and answers what it does not let through.
 *
 * @returns Whether the request may go on; then it has its `delegation`. Never rejects.
 */
export async function admit(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  try {
    const checked = await guard.check(request);
    if (checked.kind === 'call') {
      request.delegation = checked.delegation;
      return !response.destroyed; // the caller may be gone by now
    }
    sendAnswer(response, checked.kind === 'refused' ? checked.answer : NOT_FOUND);
  } catch (error) {
    answerError(guard, response, error);
  }
  return false;
}

/** Answers a request that failed, and tells of what nobody else would hear of. */
export function answerError(guard: Guard, response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refused)) guard.report(error, response.req);
  sendError(response, error);
}

/**
 * A step that lets through only calls that may use a capability. Stands behind the guard.
 *
 * @param resourceOf What the request wants to do it to. Absent, and undefined, mean all resources.
 */
export function requireCapability<R extends IncomingMessage = IncomingMessage>(
  capability: string,
  resourceOf: (request: R) => string | undefined = () => undefined,
): Middleware<R> {
  return (request, response, next) => {
    try {
      if (request.delegation === undefined)
        throw new Error('requireCapability stands in front of the middleware of the agent');
      request.delegation.require(capability, resourceOf(request));
    } catch (error) {
      if (error instanceof Refused) sendError(response, error);
      else next(error);
      return;
    }
    next();
  };
}

/** A step for errors, the last one: gives the answer for a refusal that the application has thrown. */
export function answerRefused(
  error: unknown,
  _request: IncomingMessage,
  response: ServerResponse,
  next: Next,
): void {
  if (error instanceof Refused) sendError(response, error);
  else next(error);
}
