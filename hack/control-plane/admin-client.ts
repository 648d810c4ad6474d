/** The few requests that setting up a control plane takes, over a client certificate. */

import { request } from 'node:https';
import type { KeyPair } from './pki.ts';

/** Where the API server is and who asks. */
export interface AdminClientOptions {
  /** For example `https://127.0.0.1:20443`. */
  readonly server: string;
  /** Root of the server's certificate, PEM. */
  readonly ca: string;
  /** Client certificate; without it the requests are anonymous. */
  readonly credentials?: KeyPair;
}

/** An answer; the body is parsed JSON, or text where it is not JSON. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends a request; `body` is sent as JSON. Each has its own connection, so a restart of the server is not felt. */
export type AdminClient = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Answer>;

const TIMEOUT_MS = 10_000;

/** Makes a client. It holds no connection, so there is nothing to close. */
export function createAdminClient({ server, ca, credentials }: AdminClientOptions): AdminClient {
  const tls = { ca, cert: credentials?.certificate, key: credentials?.privateKey, agent: false } as const;
  return (method, path, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const outgoing = request(new URL(path, server), { method, headers, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Whether the API server is ready for use: it says so, and the namespace `default` exists, which it makes only after
 * it has called itself ready. An API server that cannot be reached is not ready.
 */
export async function isReady(client: AdminClient): Promise<boolean> {
  try {
    const ready = await client('GET', '/readyz');
    return ready.status === 200 && (await client('GET', '/api/v1/namespaces/default')).status === 200;
  } catch {
    return false;
  }
}
