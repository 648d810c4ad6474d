/** A server with the certificate of an agent that does with each request what the test says, and keeps what it got. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TlsOptions } from 'node:tls';

/** What it got. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  /** Of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string | undefined;
  readonly body: string;
}

/** What it does with a request that it has read. */
export type Step = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers 200. */
export const done: Step = (response) => response.end('done');

/** Closes the connection without an answer. */
export const hangUp: Step = (_, request) => request.socket.destroy();

/** Answers with a refusal. */
export function refusal(status: number, name: string, retryAfter?: string): Step {
  return (response) => {
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    response.writeHead(status, { 'agent-trust-refusal': name }).end('{}');
  };
}

/** The server. Has to be closed. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #steps: Step[];

  /** @param steps One for each request; the last one for all that follow. */
  constructor(tls: TlsOptions, steps: readonly Step[]) {
    this.#steps = [...steps];
    this.#server = createServer(tls, (request, response) => void this.#take(request, response));
  }

  /** Takes a free port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = request.headers.authorization?.replace(/^\w+ /, '') ?? '';
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    this.seen.push({
      method: request.method ?? '',
      path: request.url ?? '',
      token,
      claims: JSON.parse(payload || '{}') as Record<string, unknown>,
      idempotencyKey: request.headers['idempotency-key'] as string | undefined,
      body: await text(request),
    });
    const step = this.#steps.length > 1 ? this.#steps.shift() : this.#steps[0];
    step?.(response, request);
  }
}
