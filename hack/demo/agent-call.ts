/** One agent as a server, another as its client, and a stranger: mutual TLS over loopback with the agents' own files. */

import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { type AgentFiles, spiffeIdsOf } from './agent-files.ts';
import { Mismatch } from './mismatch.ts';

const TIMEOUT_MS = 10_000;

/** An agent that serves, and whom it serves. */
export interface ServingAgent {
  readonly files: AgentFiles;
  /** SPIFFE ID that it takes calls from. */
  readonly accepts: string;
}

/** The agent while it listens on 127.0.0.1. */
export class AgentServer {
  readonly #server: Server;
  #calls = 0;

  private constructor({ files, accepts }: ServingAgent) {
    this.#server = createServer({
      ...files,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
    });
    this.#server.on('request', (incoming, response) => {
      this.#calls++;
      const [caller] = spiffeIdsOf((incoming.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName);
      response.writeHead(caller === accepts ? 200 : 403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ caller }));
    });
  }

  /** Starts it on a free port. */
  static async start(agent: ServingAgent): Promise<AgentServer> {
    const server = new AgentServer(agent);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Number of calls that came through to the agent. */
  get calls(): number {
    return this.#calls;
  }

  /** Ends it and its connections. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Where a server is, and who it must be. */
export interface Destination {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly dnsName: string;
  readonly spiffeId: string;
}

/**
 * Calls an agent on a new connection. Nothing is sent before the server has shown both of its names.
 *
 * @returns milliseconds from connecting to the answer.
 * @throws Mismatch when the server is somebody else, or does not see `caller` as its caller.
 */
export async function callAgent(files: AgentFiles, to: Destination, caller: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const startedAtMs = performance.now();
  const outgoing = request({
    ...files,
    host: '127.0.0.1',
    port: to.port,
    servername: to.dnsName,
    minVersion: 'TLSv1.3',
    method: 'POST',
    path: '/v1/delegate',
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    checkServerIdentity: (host, certificate) =>
      checkServerIdentity(host, certificate) ?? wrongServer(certificate.subjectaltname, to.spiffeId),
  });
  outgoing.on('error', reject);
  outgoing.on('response', async (response) => {
    const chunks: Buffer[] = await response.toArray();
    resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
  });
  outgoing.end();
  const { status, body } = await promise;
  const seen = `status ${status} ${body}`;
  const expected = `status 200 ${JSON.stringify({ caller })}`;
  if (seen !== expected) throw new Mismatch(expected, seen);
  return performance.now() - startedAtMs;
}

/**
 * Connects without a certificate, trusting the server's root.
 *
 * @returns the reason of the refusal, as the TLS alert words it.
 * @throws Mismatch when the server does not refuse.
 */
export async function callAsStranger(ca: string, to: Destination): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<Error | string>();
  const socket = connect({
    host: '127.0.0.1',
    port: to.port,
    servername: to.dnsName,
    ca,
    minVersion: 'TLSv1.3',
  });
  socket.setTimeout(TIMEOUT_MS, () => resolve('no answer'));
  socket.once('error', resolve);
  socket.once('data', () => resolve('an answer'));
  socket.once('close', () => resolve('an end without a reason'));
  socket.write(`GET / HTTP/1.1\r\nhost: ${to.dnsName}\r\n\r\n`);
  const outcome = await promise;
  socket.destroy();
  const alert = outcome instanceof Error ? /alert ([a-z ]+)/.exec(outcome.message)?.[1]?.trim() : undefined;
  if (alert !== undefined) return alert;
  throw new Mismatch('a TLS alert', outcome instanceof Error ? outcome.message : outcome);
}

function wrongServer(subjectAltName: string | undefined, expected: string): Error | undefined {
  const found = spiffeIdsOf(subjectAltName);
  if (found.length === 1 && found[0] === expected) return undefined;
  return new Mismatch(`the server to be ${expected}`, found.join(', ') || 'no SPIFFE ID');
}
