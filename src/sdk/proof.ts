/** Proofs that whoever sends a request has the key that its token is bound to; RFC 9449 section 4. */

import { hash } from 'node:crypto';
import { encodeHeader, type Signer, signJws } from '../crypto/jose/signer.ts';
import { randomOctets } from '../crypto/random-octets.ts';
import { uuidV7 } from '../domain/token/mint/uuid-v7.ts';

/** One request with one token. */
export interface ProvenRequest {
  /** Compact JWS. */
  readonly token: string;
  readonly method: string;
  /** As it is requested; query and fragment are left out of the proof. */
  readonly url: string;
}

const headers = new WeakMap<Signer, string>();

/**
 * Makes the proof of one request.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 * @returns Compact JWS, for the header field `DPoP`.
 */
export function signProof({ token, method, url }: ProvenRequest, signer: Signer, nowMs: number): string {
  const claims = {
    htm: method,
    htu: url.split(/[?#]/, 1)[0],
    iat: Math.floor(nowMs / 1000),
    jti: uuidV7(nowMs, randomOctets(10)),
    ath: hash('sha256', token, 'base64url'),
  };
  return signJws(headerOf(signer), JSON.stringify(claims), signer);
}

function headerOf(signer: Signer): string {
  const { algorithm: alg, publicJwk: jwk } = signer;
  const header = headers.get(signer) ?? encodeHeader({ typ: 'dpop+jwt', alg, jwk });
  headers.set(signer, header);
  return header;
}
