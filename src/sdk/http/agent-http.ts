/** All that an agent does over HTTP, in one place: calls, servers, middleware. */

import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { AgentClient, type ClientOptions } from './agent-client.ts';
import type { AgentCore } from './agent-core.ts';
import { createAgentServer, type RequestListener, type ServerLimits } from './agent-server.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { guardMiddleware, type Middleware } from './middleware.ts';
import type { CallInit } from './outgoing-request.ts';
import { type WebHandler, webListener } from './web-handler.ts';

/** Everything has a default. */
export interface ServerOptions extends GuardOptions {
  readonly limits?: Partial<ServerLimits>;
  /**
   * Whether a client without a good certificate is refused by name and not already in its handshake. Default: where
   * policy.json says `DryRun` at the start.
   */
  readonly admitStrangers?: boolean;
}

/** Everything has a default. */
export interface ServeOptions extends ServerOptions {
  /** Default that of policy.json; 0 takes a free one. */
  readonly port?: number;
  /** Address to listen on. Default all. */
  readonly host?: string;
}

/** A server that listens. */
export interface Serving {
  readonly port: number;
  /**
   * Takes no new connections and waits for the answers that have begun.
   *
   * @param graceMs After which connections are broken off. Default 10,000.
   */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_PORT = 8443;
const DEFAULT_GRACE_MS = 10_000;

/** The connections of one agent. Have to be closed. */
export class AgentHttp {
  readonly #core: AgentCore;
  readonly #client: AgentClient;
  readonly #serving = new Set<Serving>();

  constructor(core: AgentCore, options: ClientOptions = {}) {
    this.#core = core;
    this.#client = new AgentClient(core, options);
  }

  /**
   * Calls an agent for this agent itself; {@link AgentClient.fetch} says more.
   *
   * @throws CallFailed
   */
  fetch(url: string | URL, init: CallInit): Promise<Response> {
    return this.#client.fetch(url, init);
  }

  /** A server that hands on only requests that the guard lets through. */
  createServer(listener: RequestListener, options: ServerOptions = {}): HttpServer | HttpsServer {
    const guard = new Guard(this.#core, this.#client, options);
    return createAgentServer({ core: this.#core, guard }, listener, {
      peer: options.peer ?? 'tls',
      admitStrangers: options.admitStrangers ?? this.#isDryRun(),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
  }

  /** The guard for a server that somebody else has made. */
  middleware(options: GuardOptions = {}): Middleware {
    return guardMiddleware(new Guard(this.#core, this.#client, options));
  }

  /** Listens. Rejects when the address cannot be taken. */
  async serve(handler: WebHandler, options: ServeOptions = {}): Promise<Serving> {
    const { port = this.#server()?.port ?? DEFAULT_PORT, host } = options;
    const server = this.createServer(
      webListener(handler, () => this.#origin()),
      options,
    );
    const sockets = socketsOf(server);
    await listen(server, port, host);
    const serving: Serving = {
      port: (server.address() as AddressInfo).port,
      close: async (graceMs = DEFAULT_GRACE_MS) => {
        this.#serving.delete(serving);
        await end(server, sockets, graceMs);
      },
    };
    this.#serving.add(serving);
    return serving;
  }

  /** Ends what {@link serve} has begun, then breaks off all calls. */
  async close(graceMs?: number): Promise<void> {
    await Promise.all([...this.#serving].map((serving) => serving.close(graceMs)));
    await this.#client.close();
  }

  #server() {
    const { identity, bundle } = this.#core.current;
    return bundle?.policy.agents.get(identity)?.server;
  }

  #isDryRun(): boolean {
    return this.#server()?.enforcement === 'DryRun';
  }

  #origin(): string {
    const server = this.#server();
    return `https://${server?.hosts[0] ?? 'localhost'}:${server?.port ?? DEFAULT_PORT}`;
  }
}

function listen(server: HttpServer | HttpsServer, port: number, host: string | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, host }, () => {
    server.removeListener('error', reject);
    server.on('error', () => {}); // a connection that could not be accepted must not end the process
    resolve();
  });
  return promise;
}

/** All connections, also those on which nothing has come yet; a server of Node knows only those with a handshake. */
function socketsOf(server: HttpServer | HttpsServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function end(
  server: HttpServer | HttpsServer,
  sockets: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
