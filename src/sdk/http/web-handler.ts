/** An application in the form of `fetch`: a function from Request to Response. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestListener } from './agent-server.ts';
import { BAD_REQUEST, sendAnswer } from './answers.ts';
import type { Delegation } from './delegation.ts';

/** Answers a call. What it throws becomes an answer: a `Refused` its name, anything else a 500 that says nothing. */
export type WebHandler = (request: Request, call: Delegation) => Response | Promise<Response>;

/** A token is never passed on, so the application does not get to see it. */
const HIDDEN: ReadonlySet<string> = new Set(['authorization', 'dpop', 'agent-delegation-chain']);

/**
 * Makes a listener of a handler.
 *
 * @param origin What the URL of a request begins with, whatever its `Host` says.
 */
export function webListener(handler: WebHandler, origin: () => string): RequestListener {
  return async (incoming, outgoing) => {
    if (!isRequestable(incoming)) {
      sendAnswer(outgoing, BAD_REQUEST);
      return;
    }
    const gone = new AbortController();
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    const { delegation } = incoming;
    if (delegation === undefined) throw new Error('a request came around the guard');
    const request = webRequest(incoming, origin(), gone.signal);
    const response: Response | undefined = await handler(request, delegation);
    if (response?.headers === undefined) throw new TypeError('the handler returned no Response');
    await send(response, outgoing);
  };
}

/** Whether a Request can say it: a path, RFC 9112 section 3.2.1, and no method that fetch forbids. */
function isRequestable({ method, url = '' }: IncomingMessage): boolean {
  return url.startsWith('/') && method !== 'TRACE';
}

function webRequest(incoming: IncomingMessage, origin: string, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', headersDistinct } = incoming;
  const headers = new Headers();
  for (const [name, lines = []] of Object.entries(headersDistinct))
    if (!HIDDEN.has(name)) for (const line of lines) headers.append(name, line);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array>) : null;
  return new Request(`${origin}${url}`, { method, headers, body, duplex: 'half', signal });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  const { status, statusText, headers, body } = response;
  const cookies = headers.getSetCookie();
  outgoing.statusCode = status;
  if (statusText !== '') outgoing.statusMessage = statusText;
  for (const [name, value] of headers) if (name !== 'set-cookie') outgoing.setHeader(name, value);
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies);
  if (body !== null && outgoing.req.method !== 'HEAD') {
    await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), outgoing);
    return;
  }
  await body?.cancel();
  outgoing.end();
}
