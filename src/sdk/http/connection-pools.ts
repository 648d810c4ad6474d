/**
 * Connections to other agents, kept open. They belong to one certificate and one set of roots: when these change, new calls
 * get new connections, and the old ones close when their last call has ended.
 */

import { createSecureContext, type SecureContext } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { AgentCore, ConnectionFiles } from './agent-core.ts';
import { spiffeIdOf } from './peer-certificate.ts';

/** Where to connect for a host and port of a URL. */
export type ConnectTo = (host: string, port: number) => { readonly host: string; readonly port: number };

/** Everything has a default. */
export interface PoolOptions {
  /** Absent means what the URL says, by DNS. Whoever answers there has to be the audience all the same. */
  readonly connectTo?: ConnectTo;
  /** To each agent at a time. Default 64. */
  readonly connections?: number;
  /** For TCP and TLS together. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest silence before the head of an answer, and within its body. Default 300,000. */
  readonly answerTimeoutMs?: number;
}

/** The certificate of a server is good, but not that of the audience. */
export class WrongServer extends Error {
  readonly code = 'WRONG_SERVER';
}

/** Shorter than the 75 s after which our servers close idle connections, so that none is chosen that is just closed. */
const KEEP_ALIVE_MS = 30_000;
const TCP_KEEP_ALIVE_DELAY_MS = 15_000;

interface Generation {
  readonly tls: ConnectionFiles['tls'];
  readonly context: SecureContext;
  /** By origin and audience: what a name means can change while connections are open. */
  readonly pools: Map<string, Pool>;
}

/** The pools of one agent. Have to be closed. */
export class ConnectionPools {
  readonly #core: AgentCore;
  readonly #options: PoolOptions;
  readonly #ending = new Set<Pool>();
  readonly #stopListening: () => void;
  #generation: Generation | undefined;
  #isClosed = false;

  constructor(core: AgentCore, options: PoolOptions = {}) {
    this.#core = core;
    this.#options = options;
    this.#stopListening = core.onChange(() => this.#retireOld());
  }

  /**
   * The pool for calls to an agent with the certificate of this moment. To be used at once.
   *
   * @param origin `https://host:port`.
   * @param audience SPIFFE ID; every connection is checked for it before anything is sent.
   * @returns Undefined after {@link close}.
   */
  poolFor(origin: string, audience: string): Dispatcher | undefined {
    if (this.#isClosed) return undefined;
    this.#retireOld();
    this.#generation ??= newGeneration(this.#core.current.tls);
    const { pools, context } = this.#generation;
    const key = `${origin} ${audience}`;
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = this.#open(origin, context, audience);
    pools.set(key, pool);
    return pool;
  }

  /** Breaks off whatever is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    const pools = [...this.#ending, ...(this.#generation?.pools.values() ?? [])];
    this.#generation = undefined;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  /** A pool that is closed still makes the calls that it was given. */
  #retireOld(): void {
    const old = this.#generation;
    if (old === undefined || isSameTls(old.tls, this.#core.current.tls)) return;
    this.#generation = undefined;
    for (const pool of old.pools.values()) {
      this.#ending.add(pool);
      pool.close(() => this.#ending.delete(pool));
    }
  }

  #open(origin: string, context: SecureContext, audience: string): Pool {
    const { connections = 64, answerTimeoutMs = 300_000 } = this.#options;
    return new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      connect: this.#connector(context, audience),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
    });
  }

  #connector(secureContext: SecureContext, audience: string): buildConnector.connector {
    const { connectTo, connectTimeoutMs = 10_000 } = this.#options;
    const connect = buildConnector({
      secureContext,
      // A resumed session would bring back a server that was checked under another certificate.
      maxCachedSessions: 0,
      allowH2: false,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS,
      checkServerIdentity: (_host, { raw }) => checkServer(raw, audience),
    });
    if (connectTo === undefined) return connect;
    return (target, callback) => {
      const { host, port } = connectTo(target.hostname, Number(target.port || 443));
      connect({ ...target, servername: target.hostname, hostname: host, port: String(port) }, callback);
    };
  }
}

function newGeneration(tls: ConnectionFiles['tls']): Generation {
  const { certificatePem: cert, privateKeyPem: key, caPem: ca } = tls;
  return { tls, context: createSecureContext({ cert, key, ca, minVersion: 'TLSv1.3' }), pools: new Map() };
}

function isSameTls(a: ConnectionFiles['tls'], b: ConnectionFiles['tls']): boolean {
  return a.certificatePem === b.certificatePem && a.privateKeyPem === b.privateKeyPem && a.caPem === b.caPem;
}

/** Instead of the name in DNS, which says nothing about an agent. The chain was checked before. */
function checkServer(certificateDer: Buffer, audience: string): Error | undefined {
  return spiffeIdOf(certificateDer) === audience
    ? undefined
    : new WrongServer('the server is not the audience of the token');
}
