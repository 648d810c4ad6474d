/**
 * The HTTPS server that the API server asks. Whoever reaches its port may ask too, and may be slow, large or many on
 * purpose: every wait, size and number has a bound.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import type { SelfSigned } from '../crypto/self-signed.ts';
import {
  answerReview,
  type Dispatch,
  type HttpAnswer,
  plainAnswer,
  reviewedBy,
} from './admission-dispatch.ts';
import { limitConnections } from './connection-limit.ts';
import { BodyBudget, readBody } from './request-body.ts';

/** Everything but the dispatch and the pair has a default. */
export interface AdmissionServerOptions {
  readonly dispatch: Dispatch;
  /** What is served first; see {@link AdmissionServer.serve}. */
  readonly pair: SelfSigned;
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. Default: all. */
  readonly host?: string;
  readonly limits?: Partial<AdmissionLimits>;
}

/** What a client may take. */
export interface AdmissionLimits {
  /** Of one review. An object has 1.5 MiB at most in etcd, and an update brings two. */
  readonly bodyBytes: number;
  /** Of all reviews that are being read; beyond it the one that takes longest gives way. */
  readonly totalBodyBytes: number;
  /** For the head of a request, and for all of it. The API server gives up after 5 s. */
  readonly requestMs: number;
  /** Between two requests. Longer than the 90 s after which the API server gives an idle connection up: of the two it must be first, or it would find a connection dead that it has just chosen for a review. */
  readonly idleMs: number;
  /** At the same time; beyond it the one that was quiet for longest is ended. */
  readonly connections: number;
}

const LIMITS: AdmissionLimits = {
  bodyBytes: 3 * 1024 * 1024,
  totalBodyBytes: 48 * 1024 * 1024,
  requestMs: 5_000,
  idleMs: 120_000,
  connections: 1_000,
};
const HEADER_BYTES = 16_384;
const CHECK_INTERVAL_MS = 500;
const HANDSHAKE_MS = 5_000;

/** Given at the end. Milliseconds. */
export interface StopTiming {
  /** How long requests are still taken, while others are told that this server goes away. */
  readonly delayMs: number;
  /** How long reviews that have begun may take after that. */
  readonly graceMs: number;
}

/** Listens. Rejects when the address cannot be taken. */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const server = new AdmissionServer(options);
  await server.listen(options);
  return server;
}

/** A server that listens. Use {@link startAdmissionServer}. */
export class AdmissionServer {
  readonly #dispatch: Dispatch;
  readonly #limits: AdmissionLimits;
  readonly #budget: BodyBudget;
  readonly #server: Server;
  #isLeaving = false;

  constructor({ dispatch, pair, limits }: AdmissionServerOptions) {
    this.#dispatch = dispatch;
    this.#limits = { ...LIMITS, ...limits };
    const { requestMs, idleMs, connections, totalBodyBytes } = this.#limits;
    this.#budget = new BodyBudget(totalBodyBytes);
    this.#server = createServer(
      {
        ...contextOf(pair),
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: requestMs,
        requestTimeout: requestMs,
        connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, requestMs),
        keepAliveTimeout: idleMs,
        handshakeTimeout: Math.min(HANDSHAKE_MS, requestMs),
      },
      (request, response) => void this.#take(request, response),
    );
    limitConnections(this.#server, connections);
    // An answer that nobody reads.
    this.#server.timeout = idleMs + requestMs;
    // Handshakes fail all the time: scanners, probes, and an API server that does not trust us yet.
    this.#server.on('tlsClientError', (error) =>
      dispatch.log.debug({ code: (error as NodeJS.ErrnoException).code }, 'TLS handshake failed'),
    );
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on new connections get this pair; the others stay as they are. */
  serve(pair: SelfSigned): void {
    this.#server.setSecureContext(contextOf(pair));
  }

  /** Once, by {@link startAdmissionServer}. */
  listen({ port, host }: Pick<AdmissionServerOptions, 'port' | 'host'>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ port, host }, () => {
      this.#server.removeListener('error', reject);
      // A connection that could not be accepted must not end the process.
      this.#server.on('error', (error: NodeJS.ErrnoException) =>
        this.#dispatch.log.warn({ code: error.code }, 'connection not accepted'),
      );
      resolve();
    });
    return promise;
  }

  /**
   * Ends in good order: every answer tells the client to use another connection, then no new ones are taken.
   *
   * @returns whether all reviews came to their end.
   */
  async stop({ delayMs, graceMs }: StopTiming): Promise<boolean> {
    this.#isLeaving = true;
    await after(delayMs);
    const { promise: closed, resolve } = Promise.withResolvers<boolean>();
    this.#server.close(() => resolve(true));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      resolve(false);
      this.#server.closeAllConnections();
    }, graceMs);
    const ended = await closed;
    clearTimeout(timer);
    return ended;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // the client went away
    const plural = reviewedBy(this.#dispatch, request.url ?? '');
    const problem = headProblem(request, plural);
    if (plural === undefined || problem !== undefined) {
      this.#send(response, problem ?? NOT_FOUND);
      return;
    }
    const { bodyBytes: maxBytes } = this.#limits;
    const read = await readBody(request, { maxBytes, budget: this.#budget });
    if (read.kind === 'aborted') return;
    if (read.kind === 'body') this.#send(response, answerReview(this.#dispatch, plural, read.body));
    else this.#send(response, read.kind === 'busy' ? BUSY : TOO_LARGE);
  }

  /** Whoever does not ask for a review has no claim to a connection, and an unread body cannot be skipped. */
  #send(response: ServerResponse, { status, contentType, text }: HttpAnswer): void {
    const isLast = this.#isLeaving || status !== 200;
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(text),
      ...(isLast ? { connection: 'close' } : {}),
    });
    response.end(text);
  }
}

const NOT_FOUND = plainAnswer(404, 'not found');
const BUSY = plainAnswer(503, 'too many reviews at once');
const TOO_LARGE = plainAnswer(413, 'the review is too large');
const METHOD_NOT_ALLOWED = plainAnswer(405, 'method not allowed');
const UNSUPPORTED = plainAnswer(415, 'the content type must be application/json');

function headProblem(
  { method, headers }: IncomingMessage,
  plural: string | undefined,
): HttpAnswer | undefined {
  if (plural === undefined) return NOT_FOUND;
  if (method !== 'POST') return METHOD_NOT_ALLOWED;
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/json' ? undefined : UNSUPPORTED;
}

/** The API server speaks TLS 1.3 since long before the oldest version of Kubernetes that is supported. */
function contextOf({ certificatePem, privateKeyPem }: SelfSigned): {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.3';
} {
  return { cert: certificatePem, key: privateKeyPem, minVersion: 'TLSv1.3' };
}
