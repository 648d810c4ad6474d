/** Hands the answer of a server on to a client, whole or with a fault. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';

const WHOLE: readonly Fault['kind'][] = ['delay', 'lateness', 'trickle'];

/** An answer of the server, read to its end. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Where it goes. */
export interface Recipient {
  readonly response: ServerResponse;
  /** Resets the connection. */
  readonly reset: () => void;
}

/** Reads an answer to its end; undefined when the server breaks off before. */
export async function readAnswer(answer: IncomingMessage): Promise<WholeAnswer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(chunks) };
}

/** Sends the answer, or as much of it as the fault lets through. */
export async function deliver(
  { status, headers, body }: WholeAnswer,
  fault: Fault | undefined,
  { response, reset }: Recipient,
): Promise<void> {
  const { 'transfer-encoding': _, connection: __, 'content-length': ___, ...kept } = headers;
  const sized = { ...kept, 'content-length': body.length };
  const half = body.subarray(0, Math.floor(body.length / 2));
  switch (fault?.kind) {
    case 'reset':
      reset();
      break;
    case 'silence':
      break;
    case 'cut':
      response.writeHead(status, sized).write(half, reset);
      break;
    case 'truncation':
      response.writeHead(status, kept).end(half);
      break;
    case 'delay':
      await later(fault.delayMs);
      response.writeHead(status, sized).end(body);
      break;
    case 'trickle':
      response.writeHead(status, sized);
      for (let at = 0; at < body.length && !response.destroyed; at += fault.bytes) {
        response.write(body.subarray(at, at + fault.bytes));
        await later(fault.everyMs);
      }
      response.end();
      break;
    default:
      response.writeHead(status, sized).end(body);
  }
}

/** Whether the client gets the whole answer in spite of the fault, if it waits for it. */
export function isWhole(fault: Fault | undefined): boolean {
  return fault === undefined || WHOLE.includes(fault.kind);
}

/** Resolves after `delayMs`. */
export function later(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
