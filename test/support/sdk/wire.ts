/** Requests as anybody can make them: any certificate, any header fields, any token. */

import { createPrivateKey, hash, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createSigner, encodeHeader, type Signer, signJws } from '../../../src/crypto/jose/signer.ts';
import { uuidV7 } from '../../../src/domain/token/mint/uuid-v7.ts';
import type { LocalSwarm } from './agent-folder.ts';

/** What a caller shows in its handshake. */
export interface Identity extends Pick<ConnectionOptions, 'session'> {
  readonly cert?: string;
  readonly key?: string;
}

/** A request. */
export interface WireRequest {
  readonly port: number;
  /** Default POST. */
  readonly method?: string;
  /** Default `/v1/delegate`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

/** Its answer. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether it came over a connection that there was before. */
  readonly isReused: boolean;
}

/** JSON to be. */
export type Json = Record<string, unknown>;

/** Sends over TLS. The server may be anybody. Rejects as the connection does. */
export function sendTls(request: WireRequest, identity: Identity): Promise<WireAnswer> {
  return send(httpsRequest({ ...targetOf(request), ...identity, rejectUnauthorized: false }), request);
}

/** Sends without TLS, as a proxy in the same pod does. */
export function sendPlain(request: WireRequest): Promise<WireAnswer> {
  return send(httpRequest(targetOf(request)), request);
}

/** A TLS connection to write on as one likes. */
export async function connectTls(port: number, identity: Identity): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ...identity, rejectUnauthorized: false });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('secureConnect', resolve).once('error', reject);
  await promise;
  socket.removeListener('error', reject).on('error', () => {});
  return socket;
}

/** The signing key of an agent. */
export function signerOf(swarm: LocalSwarm, name: string): Signer {
  const signer = createSigner(
    createPrivateKey(readFileSync(join(swarm.folder(name), 'signing/signing.key'), 'utf8')),
  );
  if (signer === undefined) throw new Error('not a key to sign with');
  return signer;
}

/** Claims of the first token of a tree, over an edge that binds to the certificate. */
export function rootClaims(
  swarm: LocalSwarm,
  { from, to, thumbprint }: { readonly from: string; readonly to: string; readonly thumbprint: string },
): Json {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: swarm.id(from),
    sub: swarm.id(from),
    client_id: swarm.id(from),
    aud: swarm.id(to),
    iat,
    exp: iat + 60,
    jti: newId(),
    txn: newId(),
    authorization_details: [
      {
        type: 'https://agenttrust.dev/capability/v1',
        capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/*'] }],
      },
    ],
    cnf: { 'x5t#S256': thumbprint },
    max_uses: 1,
    del_depth: 1,
    del_max_depth: 2,
  };
}

/** Signs a token; `header` is added to, or replaces, what stands in its header. */
export function signToken(claims: Json, signer: Signer, header: Json = {}): string {
  const { algorithm: alg, kid } = signer;
  return signJws(
    encodeHeader({ typ: 'agent-capability+jwt', alg, kid, ...header }),
    JSON.stringify(claims),
    signer,
  );
}

/** A proof for a token; RFC 9449 section 4.2. */
export function signProof(token: string, signer: Signer, htu: string): string {
  const { algorithm: alg, publicJwk: jwk } = signer;
  const ath = hash('sha256', token, 'base64url');
  const claims = { htm: 'POST', htu, iat: Math.floor(Date.now() / 1000), jti: newId(), ath };
  return signJws(encodeHeader({ typ: 'dpop+jwt', alg, jwk }), JSON.stringify(claims), signer);
}

/** `par_hash` of a child. */
export function parentHash(token: string): string {
  return hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url');
}

/** What a token is bound to by; RFC 8705 section 3.1. */
export function thumbprintOf(certificatePem: string): string {
  return hash('sha256', new X509Certificate(certificatePem).raw, 'base64url');
}

export function newId(): string {
  return uuidV7(Date.now(), randomBytes(10));
}

function targetOf({
  port,
  method = 'POST',
  path = '/v1/delegate',
  headers = {},
  agent,
}: WireRequest): object {
  return { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false };
}

async function send(request: ReturnType<typeof httpRequest>, { body }: WireRequest): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
  request.once('error', reject);
  request.once('response', (response) => {
    const { statusCode: status = 0, headers } = response;
    text(response).then(
      (read) => resolve({ status, headers, body: read, isReused: request.reusedSocket }),
      reject,
    );
  });
  request.end(body);
  return promise;
}
