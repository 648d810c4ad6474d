/** One handshake between two pods, verified on both sides. */

import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { greeting, type InUse, type ProbePod, urisOf } from './prober-pod.ts';

/** Which pod connects to which. */
export interface Pair {
  readonly client: ProbePod;
  readonly server: ProbePod;
}

/** What became of it. */
export interface Handshake extends Pair {
  /** What the client had in use. */
  readonly clientUse: InUse | undefined;
  /** What the server had in use; undefined when the connection did not come so far. */
  readonly serverUse: InUse | undefined;
  /** Undefined when both sides have verified each other. */
  readonly problem: string | undefined;
  /** Milliseconds of the monotonic clock. */
  readonly endedAtMs: number;
}

const TIMEOUT_MS = 20_000;
const NOT_LOOKED_AT = {} as DetailedPeerCertificate;

/** Connects, verifies, reads what the server says of the client, and ends. Never rejects. */
export function shakeHands({ client, server }: Pair): Promise<Handshake> {
  const { promise, resolve } = Promise.withResolvers<Handshake>();
  const { inUse: clientUse } = client;
  const { port } = server;
  if (clientUse === undefined || port === undefined) {
    const problem = 'a pod has no files';
    resolve({ client, server, clientUse, serverUse: undefined, problem, endedAtMs: performance.now() });
    return promise;
  }
  const expected = `URI:${server.spiffeId}`;
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    secureContext: clientUse.context,
    rejectUnauthorized: true,
    checkServerIdentity: () => {
      const uris = urisOf(socket);
      return uris === expected ? undefined : new Error(`the server is ${uris}`);
    },
  });
  socket.setNoDelay(true);
  // It would be put together for checkServerIdentity, which takes as long as half of the handshake.
  socket.getPeerCertificate = () => NOT_LOOKED_AT;
  let localPort = 0;
  let said = '';
  let isOver = false;
  const end = (problem: string | undefined): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    const serverUse = server.takeAccepted(localPort);
    resolve({ client, server, clientUse, serverUse, problem, endedAtMs: performance.now() });
  };
  socket.once('connect', () => {
    localPort = socket.localPort ?? 0;
  });
  socket.setEncoding('utf8');
  socket.setTimeout(TIMEOUT_MS, () => end('no answer'));
  socket.on('data', (text: string) => {
    said += text;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  socket.once('close', () => end('closed without a word'));
  socket.once('end', () => {
    const isMutual = socket.authorized && !socket.isSessionReused() && said === greeting(client.spiffeId);
    end(isMutual ? undefined : said === '' ? 'the server refused it' : `the server said ${said}`);
  });
  return promise;
}
