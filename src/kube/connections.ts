/** The connections to one API server: shared ones for calls, one for the lease, one for each watch. HTTP/1.1 only. */

import type { Dispatcher } from 'undici';
import { buildConnector, Client, Pool } from 'undici';
import type { Credentials } from './credentials.ts';

/** Shorter than the 90 s after which API servers close idle connections. Milliseconds. */
const KEEP_ALIVE_MS = 60_000;
const TCP_KEEP_ALIVE_DELAY_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;

/** How many connections there are for calls, and when one counts as dead. */
export interface ConnectionLimits {
  /** 1 to 64. */
  readonly connections: number;
  /** Longest silence before the head of an answer. */
  readonly idleTimeoutMs: number;
}

/** Opens connections when they are needed, and closes them. */
export class Connections {
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #watches = new Set<Client>();
  /** For calls; at most as many at a time as there are connections, the others wait. */
  readonly calls: Dispatcher;
  /** For the lease, which never waits behind other calls. */
  readonly lease: Dispatcher;

  /** @throws RangeError when `connections` is not a whole number from 1 to 64. */
  constructor(credentials: Credentials, { connections, idleTimeoutMs }: ConnectionLimits) {
    if (!Number.isInteger(connections) || connections < 1 || connections > MAX_CONNECTIONS) {
      throw new RangeError(`connections is ${connections}; it must be from 1 to ${MAX_CONNECTIONS}`);
    }
    this.#origin = credentials.server.origin;
    this.#options = {
      allowH2: false,
      connect: connectorOf(credentials),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: idleTimeoutMs,
    };
    this.calls = new Pool(this.#origin, { ...this.#options, connections });
    this.lease = new Client(this.#origin, this.#options);
  }

  /** Runs `read` with a connection of its own, which is closed afterwards: a watch in the pool would block it. */
  async withOwn<T>(read: (dispatcher: Dispatcher) => Promise<T>): Promise<T> {
    const client = new Client(this.#origin, this.#options);
    this.#watches.add(client);
    try {
      return await read(client);
    } finally {
      this.#watches.delete(client);
      await client.destroy();
    }
  }

  /** Breaks off whatever is under way. */
  async close(): Promise<void> {
    await Promise.all([this.calls, this.lease, ...this.#watches].map((dispatcher) => dispatcher.destroy()));
  }
}

/** Connects with the certificates of the moment: they can be replaced while the process runs. */
function connectorOf(credentials: Credentials): buildConnector.connector {
  let { tls } = credentials;
  let connect = build();
  return (target, callback) => {
    if (credentials.tls !== tls) {
      tls = credentials.tls;
      connect = build();
    }
    connect(target, callback);
  };

  function build(): buildConnector.connector {
    const socket = { keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS };
    return buildConnector({ ...tls, ...socket, allowH2: false, timeout: CONNECT_TIMEOUT_MS });
  }
}
