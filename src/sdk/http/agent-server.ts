/**
 * The server of an agent: over TLS with certificates of agents on both sides, or behind a proxy that has ended TLS. Whoever
 * reaches its port may be slow, large or many on purpose: every wait, size and number has a bound.
 */

import { constants } from 'node:crypto';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { AgentCore, ConnectionFiles } from './agent-core.ts';
import { sendAnswer, TOO_LARGE } from './answers.ts';
import type { Guard, PeerSource } from './guard.ts';
import { admit, answerError } from './middleware.ts';

/**
 * An application. Gets only requests that the guard has let through, with their `delegation`. What it throws becomes an
 * answer, and so does what it rejects with.
 */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** What a client may take. */
export interface ServerLimits {
  /** All of its header fields and the request line. Default 16,384. */
  readonly headBytes: number;
  /** Default 10 MiB. */
  readonly bodyBytes: number;
  /** Default 10,000. */
  readonly handshakeMs: number;
  /** Until the head of a request is there. Default 10,000. */
  readonly headMs: number;
  /** Until all of it is there. Default 60,000. */
  readonly requestMs: number;
  /** Between two requests. Default 75,000: longer than clients keep a connection, so that they close it first. */
  readonly idleMs: number;
  /** Longest silence while an answer is waited for or read. Default 600,000. */
  readonly answerMs: number;
  /** At a time. Default 1,000. */
  readonly connections: number;
}

/** What a server is made with. */
export interface AgentServerOptions {
  /** `tls` serves TLS itself. */
  readonly peer: PeerSource;
  /**
   * Whether a client without a good certificate gets as far as to be refused by name. Else its handshake fails. Only where
   * nothing is enforced does it get further.
   */
  readonly admitStrangers: boolean;
  readonly limits?: Partial<ServerLimits>;
}

const LIMITS: ServerLimits = {
  headBytes: 16_384,
  bodyBytes: 10 * 1024 * 1024,
  handshakeMs: 10_000,
  headMs: 10_000,
  requestMs: 60_000,
  idleMs: 75_000,
  answerMs: 600_000,
  connections: 1_000,
};
const CHECK_INTERVAL_MS = 500;

/** Makes the server, which does not listen yet. It follows the files of the agent until it is closed. */
export function createAgentServer(
  { core, guard }: { readonly core: AgentCore; readonly guard: Guard },
  listener: RequestListener,
  options: AgentServerOptions,
): HttpServer | HttpsServer {
  const limits: ServerLimits = { ...LIMITS, ...options.limits };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on('error', () => {}); // the client went away
    leaveWhenClosing(server, response);
    if (!limitBody(request, response, limits.bodyBytes)) return;
    try {
      if (await admit(guard, request, response)) await listener(request, response);
    } catch (error) {
      answerError(guard, response, error);
    }
  };
  const server: HttpServer | HttpsServer =
    options.peer === 'tls'
      ? createTlsServer(core, take, { limits, admitStrangers: options.admitStrangers })
      : createHttpServer(serverOptions(limits), (request, response) => void take(request, response));
  // Who is let in to be refused by name hears it in the answer.
  if (!options.admitStrangers)
    server.on('secureConnection', (socket: TLSSocket) => {
      if (!isAdmitted(guard, socket)) socket.destroy();
    });
  server.maxConnections = limits.connections;
  server.timeout = limits.answerMs;
  return server;
}

/** Whatever fails here would end the process. */
function isAdmitted(guard: Guard, socket: TLSSocket): boolean {
  try {
    return guard.admits(socket);
  } catch (error) {
    guard.report(error);
    return false;
  }
}

function createTlsServer(
  core: AgentCore,
  take: RequestListener,
  { limits, admitStrangers }: { readonly limits: ServerLimits; readonly admitStrangers: boolean },
): HttpsServer {
  let served = core.current.tls;
  const server = createHttpsServer(
    {
      ...serverOptions(limits),
      ...contextOf(served),
      requestCert: true,
      rejectUnauthorized: !admitStrangers,
      handshakeTimeout: limits.handshakeMs,
    },
    (request, response) => void take(request, response),
  );
  const stopListening = core.onChange(() => {
    const { tls } = core.current;
    if (tls === served) return;
    served = tls;
    server.setSecureContext(contextOf(tls)); // connections that there are stay as they are
  });
  server.once('close', stopListening);
  return server;
}

/** A server that is closed waits for its connections, and Node keeps those open on which an answer has just ended. */
function leaveWhenClosing(server: HttpServer | HttpsServer, response: ServerResponse): void {
  if (!server.listening) response.shouldKeepAlive = false;
  response.once('close', () => {
    if (!server.listening) server.closeIdleConnections();
  });
}

function serverOptions(limits: ServerLimits): ServerOptions {
  const { headBytes, headMs, requestMs, idleMs } = limits;
  return {
    maxHeaderSize: headBytes,
    headersTimeout: Math.min(headMs, requestMs),
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, headMs),
  };
}

/** Without tickets: a resumed session would bring back a peer that was checked against earlier roots. */
function contextOf({ certificatePem, privateKeyPem, caPem }: ConnectionFiles['tls']): SecureContextOptions {
  return {
    cert: certificatePem,
    key: privateKeyPem,
    ca: caPem,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Whether a body can be small enough. One that says nothing of its size is broken off where it becomes too long. */
function limitBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (Number(length ?? 0) > maxBytes) {
    response.shouldKeepAlive = false;
    sendAnswer(response, TOO_LARGE);
    return false;
  }
  if (encoding === undefined) return true;
  // `push` is where all data enters; whoever listened to `data` would be the one who reads the body.
  const push = request.push.bind(request);
  let bytes = 0;
  request.push = (chunk: Buffer | null, ...rest) => {
    bytes += chunk?.length ?? 0;
    if (bytes <= maxBytes) return push(chunk, ...rest);
    response.shouldKeepAlive = false;
    if (!response.headersSent) sendAnswer(response, TOO_LARGE);
    request.destroy();
    return false;
  };
  return true;
}
