/** A client that asks an admission server as an API server does, or worse. */

import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';

/** Where, and whom to trust. */
export interface AdmissionTarget {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly servername: string;
}

/** What is sent; by default a POST of JSON. */
export interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What comes back. */
export interface Received {
  readonly status: number;
  readonly text: string;
  /** Whether the server will take no further request on this connection. */
  readonly isLast: boolean;
}

/** A client with connections of its own, to be closed. */
export class AdmissionClient {
  readonly #target: AdmissionTarget;
  readonly #agent: Agent;

  constructor(target: AdmissionTarget, connections = 1) {
    this.#target = target;
    const { port, ca, servername } = target;
    this.#agent = new Agent({
      host: '127.0.0.1',
      port,
      ca,
      servername,
      keepAlive: true,
      maxSockets: connections,
    });
  }

  /** Asks; rejects when the connection breaks. */
  ask({ path, method = 'POST', headers = {}, body = '' }: Sent): Promise<Received> {
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    const { port } = this.#target;
    const options = {
      agent: this.#agent,
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { 'content-type': 'application/json', ...lengthOf(headers, body), ...headers },
    };
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, isLast: response.headers.connection === 'close' });
      });
    });
    asked.on('error', reject);
    asked.end(body);
    return promise;
  }

  /** Ends the connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function lengthOf(
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): Readonly<Record<string, number>> {
  return 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
}

/** A connection on which anything may be written; resolves when TLS stands. */
export function openTls({ port, ca, servername }: AdmissionTarget): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: '127.0.0.1', port, ca, servername }, () => resolve(socket));
  socket.on('error', reject);
  return promise;
}

/** A question as an API server asks it. */
export function reviewOf(
  resource: string,
  { uid = 'uid-1', operation = 'CREATE', object = {}, ...more }: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid, operation, resource: { resource }, object, ...more },
  });
}
