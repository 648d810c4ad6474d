/** Signing of compact JWS; RFC 7515 section 7.1. */

import { type KeyObject, sign } from 'node:crypto';
import { encodeBase64url } from '../../domain/token/base64url.ts';
import type { TokenAlgorithm } from '../../domain/token/claims.ts';
import type { PublicJwk } from '../../domain/token/state/jwks-file.ts';
import { rawSignature } from './ecdsa-signature.ts';
import { algorithmOf, jwkThumbprint, publicJwkOf } from './jwk.ts';

/** A private key, ready to sign with. */
export interface Signer {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly publicJwk: PublicJwk;
  /** base64url of the signature over an ASCII text. */
  sign(signingInput: string): string;
}

/**
 * Makes a signer of a private key.
 *
 * @returns Undefined when the key is neither on P-256 nor Ed25519. Errors: none.
 */
export function createSigner(key: KeyObject): Signer | undefined {
  const publicJwk = key.type === 'private' ? publicJwkOf(key) : undefined;
  if (publicJwk === undefined) return undefined;
  const algorithm = algorithmOf(publicJwk);
  return {
    kid: jwkThumbprint(publicJwk),
    algorithm,
    publicJwk,
    sign: algorithm === 'ES256' ? (input) => signEs256(input, key) : (input) => signEd25519(input, key),
  };
}

/** A protected header with these members in this order, encoded; the same for all tokens of one kind and key. */
export function encodeHeader(members: Readonly<Record<string, unknown>>): string {
  return encodeBase64url(JSON.stringify(members));
}

/**
 * Puts a JWS together and signs it.
 *
 * @param header From {@link encodeHeader}; names the algorithm of the signer.
 * @param payload JSON, or any text.
 */
export function signJws(header: string, payload: string, signer: Signer): string {
  const input = `${header}.${encodeBase64url(payload)}`;
  return `${input}.${signer.sign(input)}`;
}

function signEs256(input: string, key: KeyObject): string {
  return rawSignature(sign('sha256', Buffer.from(input, 'latin1'), key)).toString('base64url');
}

function signEd25519(input: string, key: KeyObject): string {
  return sign(null, Buffer.from(input, 'latin1'), key).toString('base64url');
}
