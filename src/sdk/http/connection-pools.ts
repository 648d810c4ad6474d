/**
 * Connections to other agents, kept open. They belong to one certificate and one set of roots: when these change, new calls
 * get new connections, and the old ones close when their last call has ended.
 */

import { createSecureContext, type DetailedPeerCertificate, type SecureContext } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { IssuedCertificate } from '../../crypto/revoked-certificates.ts';
import type { AgentCore, ConnectionFiles } from './agent-core.ts';
import { isRevokedNow, issuedCertificate, spiffeIdOf } from './peer-certificate.ts';

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

/** The chain of a server is good, but its certificate is not that of the audience, is revoked, or cannot be judged. */
export class WrongServer extends Error {
  readonly code = 'WRONG_SERVER';
}

/** Shorter than the 75 s after which our servers close idle connections, so that none is chosen that is just closed. */
const KEEP_ALIVE_MS = 30_000;
const TCP_KEEP_ALIVE_DELAY_MS = 15_000;

interface Generation {
  readonly tls: ConnectionFiles['tls'];
  readonly context: SecureContext;
  /** By which servers were judged last. */
  judgedBy: ConnectionFiles['bundle'];
  /** By origin and audience: what a name means can change while connections are open. */
  readonly pools: Map<string, OpenPool>;
}

interface OpenPool {
  readonly pool: Pool;
  /** What servers have shown on its connections. */
  readonly seen: Map<string, IssuedCertificate>;
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
    this.#generation ??= newGeneration(this.#core.current);
    const { pools, context } = this.#generation;
    const key = `${origin} ${audience}`;
    const known = pools.get(key);
    if (known !== undefined) return known.pool;
    const opened = this.#open(origin, context, audience);
    pools.set(key, opened);
    return opened.pool;
  }

  /** Breaks off whatever is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    const open = [...(this.#generation?.pools.values() ?? [])].map(({ pool }) => pool);
    const pools = [...this.#ending, ...open];
    this.#generation = undefined;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #retireOld(): void {
    const { current } = this.#core;
    const old = this.#generation;
    if (old === undefined) return;
    const isOld = !isSameTls(old.tls, current.tls);
    if (isOld) this.#generation = undefined;
    else if (old.judgedBy === current.bundle) return;
    old.judgedBy = current.bundle;
    for (const [key, { pool, seen }] of old.pools) {
      if (!isOld && !seen.values().some((certificate) => isRevokedNow(certificate, current))) continue;
      old.pools.delete(key);
      this.#retire(pool);
    }
  }

  /** A pool that is closed still makes the calls that it was given. */
  #retire(pool: Pool): void {
    this.#ending.add(pool);
    pool.close(() => this.#ending.delete(pool));
  }

  #open(origin: string, context: SecureContext, audience: string): OpenPool {
    const { connections = 64, answerTimeoutMs = 300_000 } = this.#options;
    const seen: OpenPool['seen'] = new Map();
    const pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      connect: this.#connector(context, (certificate) => this.#checkServer(certificate, audience, seen)),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
    });
    return { pool, seen };
  }

  /** Instead of the name in DNS, which says nothing about an agent. The chain was checked before. */
  #checkServer(
    certificate: DetailedPeerCertificate,
    audience: string,
    seen: OpenPool['seen'],
  ): Error | undefined {
    if (spiffeIdOf(certificate.raw) !== audience)
      return new WrongServer('the server is not the audience of the token');
    const issued = issuedCertificate(certificate, this.#core.current);
    if (issued === undefined) return new WrongServer('who issued the certificate of the server is not known');
    if (isRevokedNow(issued, this.#core.current))
      return new WrongServer('the certificate of the server is revoked');
    seen.set(issued.serialHex, issued);
    return undefined;
  }

  #connector(
    secureContext: SecureContext,
    checkServer: (certificate: DetailedPeerCertificate) => Error | undefined,
  ): buildConnector.connector {
    const { connectTo, connectTimeoutMs = 10_000 } = this.#options;
    const connect = buildConnector({
      secureContext,
      // A resumed session would bring back a server that was checked under another certificate.
      maxCachedSessions: 0,
      allowH2: false,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS,
      checkServerIdentity: (_host, certificate) => checkServer(certificate as DetailedPeerCertificate),
    });
    if (connectTo === undefined) return connect;
    return (target, callback) => {
      const { host, port } = connectTo(target.hostname, Number(target.port || 443));
      connect({ ...target, servername: target.hostname, hostname: host, port: String(port) }, callback);
    };
  }
}

function newGeneration({ tls, bundle }: ConnectionFiles): Generation {
  const { certificatePem: cert, privateKeyPem: key, caPem: ca } = tls;
  const context = createSecureContext({ cert, key, ca, minVersion: 'TLSv1.3' });
  return { tls, context, judgedBy: bundle, pools: new Map() };
}

function isSameTls(a: ConnectionFiles['tls'], b: ConnectionFiles['tls']): boolean {
  return a.certificatePem === b.certificatePem && a.privateKeyPem === b.privateKeyPem && a.caPem === b.caPem;
}
