/** A pod of an agent: a TLS server with its mounted files, and clients with the same files. */

import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { Wakefulness } from './prober-awake.ts';
import type { BundleFiles, LeafFiles } from './prober-files.ts';
import { Mount } from './prober-mount.ts';

/** An agent whose pods are probed. */
export interface ProbedAgent {
  readonly namespace: string;
  readonly name: string;
  /** False where no bundle can be mounted: pods trust what their Secret says. */
  readonly hasBundle: boolean;
}

/** Which ca.crt verifies others, and how late files arrive. */
export interface PodHabits {
  readonly trusts: 'Secret' | 'bundle';
  readonly secretDelayMs: () => number;
  readonly bundleDelayMs: () => number;
}

/** What a pod has in use at a moment. */
export interface InUse {
  readonly signedBy: string;
  readonly trusted: readonly string[];
  readonly context: SecureContext;
  /** Up to when these were the latest there were, as far as this process knows: milliseconds of the monotonic clock. */
  readonly latestAtMs: number;
}

/** What a server says to a client that it has accepted. */
export function greeting(spiffeId: string): string {
  return `accepted URI:${spiffeId}, new session\n`;
}

/** The URIs of the certificate that the other side has shown, separated by commas. Node.js gives it only once. */
export function urisOf(socket: TLSSocket): string {
  const { subjectAltName = '' } = socket.getPeerX509Certificate() ?? {};
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .join();
}

/** One pod. */
export class ProbePod {
  readonly agent: ProbedAgent;
  readonly spiffeId: string;
  readonly habits: PodHabits;
  readonly secret: Mount<LeafFiles>;
  readonly bundle: Mount<BundleFiles>;
  #leaf: LeafFiles | undefined;
  #trust: BundleFiles | undefined;
  #inUse: Omit<InUse, 'latestAtMs'> | undefined;
  #server: Server | undefined;
  /** What was in use when a connection came, by the client's port. */
  readonly #accepted = new Map<number, InUse>();
  readonly #awake: Pick<Wakefulness, 'awakeAtMs'>;

  constructor(agent: ProbedAgent, habits: PodHabits, awake: Pick<Wakefulness, 'awakeAtMs'>) {
    this.agent = agent;
    this.habits = habits;
    this.#awake = awake;
    this.spiffeId = `spiffe://cluster.local/ns/${agent.namespace}/sa/${agent.name}`;
    this.secret = new Mount({
      delayMs: habits.secretDelayMs,
      arrive: (files) => {
        this.#leaf = files;
        if (habits.trusts === 'Secret') this.#trust = files;
        this.#use();
      },
    });
    this.bundle = new Mount({
      delayMs: habits.bundleDelayMs,
      arrive: (files) => {
        if (habits.trusts === 'bundle') this.#trust = files;
        this.#use();
      },
    });
  }

  /** Undefined before the first files have arrived. */
  get inUse(): InUse | undefined {
    return this.#inUse && { ...this.#inUse, latestAtMs: this.#latestAtMs };
  }

  /** Undefined before it listens. */
  get port(): number | undefined {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port;
  }

  /** Whether a file that it uses is not the latest. */
  get isBehind(): boolean {
    return this.#used.some(({ behindSinceMs }) => behindSinceMs !== undefined);
  }

  get #used(): readonly Pick<Mount<unknown>, 'behindSinceMs'>[] {
    return this.habits.trusts === 'bundle' ? [this.secret, this.bundle] : [this.secret];
  }

  get #latestAtMs(): number {
    const { awakeAtMs } = this.#awake;
    return Math.min(awakeAtMs, ...this.#used.map(({ behindSinceMs = awakeAtMs }) => behindSinceMs));
  }

  /** What the server had in use for the connection from that port; forgets it. */
  takeAccepted(port: number): InUse | undefined {
    const accepted = this.#accepted.get(port);
    this.#accepted.delete(port);
    return accepted;
  }

  /** Ends the server. */
  async close(): Promise<void> {
    this.secret.close();
    this.bundle.close();
    if (this.#server === undefined) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  /** Takes the mounted files into use, as an agent does that watches them. */
  #use(): void {
    if (this.#leaf === undefined || this.#trust === undefined) return;
    const options: SecureContextOptions = {
      cert: this.#leaf['tls.crt'],
      key: this.#leaf['tls.key'],
      ca: this.#trust['ca.crt'],
      minVersion: 'TLSv1.3',
      // Certificates are looked at here; the keys of OpenSSL's own choice take more time than all of them.
      ecdhCurve: 'X25519',
    };
    const context = createSecureContext(options);
    this.#inUse = { signedBy: this.#leaf.signedBy, trusted: this.#trust.carries, context };
    if (this.#server === undefined) this.#server = this.#listen(options);
    else this.#server.setSecureContext(options);
  }

  #listen(options: SecureContextOptions): Server {
    const server = createServer({
      ...options,
      noDelay: true,
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('connection', ({ remotePort }: Socket) => {
      const { inUse } = this;
      if (remotePort !== undefined && inUse !== undefined) this.#accepted.set(remotePort, inUse);
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      // A client that does not get its greeting counts that as a failure.
      socket.on('error', () => {});
      const uris = urisOf(socket);
      const verdict = socket.authorized ? 'accepted' : 'not accepted';
      socket.end(`${verdict} ${uris}, ${socket.isSessionReused() ? 'old' : 'new'} session\n`);
    });
    server.listen(0, '127.0.0.1');
    return server;
  }
}
