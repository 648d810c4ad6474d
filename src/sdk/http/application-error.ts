/** Who hears of an error for which the caller gets no more than a 500, and which errors are only the caller's leaving. */

import type { IncomingMessage } from 'node:http';

/** Told of what was thrown while a request was answered; without a request, of what was thrown before there was one. */
export type ErrorListener = (error: unknown, request: IncomingMessage | undefined) => void;

/** What streams fail with when the connection below them has ended. */
const OF_CONNECTION: ReadonlySet<unknown> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

/**
 * Tells of an error. Errors: none; what the listener throws is a warning too.
 *
 * @param listener Default: a warning of the process, with name, message and stack.
 */
export async function reportError(
  error: unknown,
  request: IncomingMessage | undefined,
  listener: ErrorListener | undefined,
): Promise<void> {
  if (listener === undefined) {
    warn(error);
    return;
  }
  try {
    await listener(error, request);
  } catch (failed) {
    warn(failed);
  }
}

/** Whether there is nobody any more for whom the request would be answered, and the error says no more than this. */
export function isCallerGone(error: unknown, { socket }: IncomingMessage): boolean {
  if (!socket.destroyed || !(error instanceof Error)) return false;
  return error.name === 'AbortError' || ('code' in error && OF_CONNECTION.has(error.code));
}

function warn(error: unknown): void {
  const options = { type: 'AgentTrustWarning', code: 'application_failed' };
  if (error instanceof Error) {
    const { name, message, stack = '' } = error;
    process.emitWarning(`A request could not be answered: ${name}: ${message}`, {
      ...options,
      detail: stack,
    });
  } else process.emitWarning(`A request could not be answered: a ${typeof error} was thrown`, options);
}
