/** Calls pods behind a sidecar over mutual TLS, with whatever certificate, path and headers. */

import type { PeerCertificate } from 'node:tls';
import { Client } from 'undici';
import type { TlsIdentity } from './certificates.ts';

/** Whom to call, and who calls. */
export interface MeshConnection {
  readonly address: string;
  readonly port: number;
  /** Roots of the pod's certificate, PEM. */
  readonly trustBundlePem: string;
  /** SPIFFE ID that the pod must prove. */
  readonly expected: string;
  /** Undefined: calls without a certificate. */
  readonly identity: TlsIdentity | undefined;
}

/** One request. */
export interface MeshCall {
  readonly method: string;
  /** Sent as it stands. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `done`: it reached the application. `refused`: with that status. `no connection`: TLS failed. */
export type MeshAnswer =
  | { readonly kind: 'done'; readonly path: string; readonly callers: string }
  | { readonly kind: 'refused'; readonly status: number; readonly by: string }
  | { readonly kind: 'no connection'; readonly code: string };

const PIPELINED = 16;

/** Keeps one connection open; to be closed. */
export class MeshClient {
  readonly #client: Client;

  constructor({ address, port, trustBundlePem, expected, identity }: MeshConnection) {
    this.#client = new Client(`https://${address}:${port}`, {
      pipelining: PIPELINED,
      connect: {
        ca: trustBundlePem,
        ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.privateKeyPem }),
        // a resumed session would not show the certificate again
        maxCachedSessions: 0,
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          certificate.subjectaltname?.includes(`URI:${expected}`) === true
            ? undefined
            : new Error(`the pod does not prove to be ${expected}`),
      },
    });
  }

  /** Calls; several at once share the connection. */
  async call({ method, path, headers = {} }: MeshCall): Promise<MeshAnswer> {
    try {
      const response = await this.#client.request({
        method: method as 'GET',
        path,
        headers: { host: 'pod', ...headers },
        // so that a POST is pipelined too
        idempotent: true,
      });
      await response.body.dump();
      const header = (name: string): string => String(response.headers[name] ?? '');
      return response.statusCode === 200
        ? { kind: 'done', path: header('x-seen-path'), callers: header('x-seen-callers') }
        : { kind: 'refused', status: response.statusCode, by: header('x-refused-by') };
    } catch (error) {
      return { kind: 'no connection', code: codeOf(error) };
    }
  }

  /** Drops the connection. */
  close(): Promise<void> {
    return this.#client.destroy();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
