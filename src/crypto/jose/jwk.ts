/** Public and private keys as JWK; RFC 7517, RFC 7518 section 6.2, RFC 8037 section 2. */

import { createPublicKey, hash, type KeyObject, type JsonWebKey as NodeJwk } from 'node:crypto';
import type { PrivateJwk } from '../../domain/signing/key-files.ts';
import type { TokenAlgorithm } from '../../domain/token/claims.ts';
import type { PublicJwk } from '../../domain/token/state/jwks-file.ts';

/** The algorithm that a key signs with. */
export function algorithmOf({ kty }: Pick<PublicJwk, 'kty'>): TokenAlgorithm {
  return kty === 'EC' ? 'ES256' : 'Ed25519';
}

/**
 * The thumbprint of a key with SHA-256; RFC 7638 section 3, for Ed25519 RFC 8037 appendix A.3.
 *
 * @returns base64url.
 */
export function jwkThumbprint(jwk: PublicJwk): string {
  const { crv, kty, x } = jwk;
  const members = jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x };
  return hash('sha256', JSON.stringify(members), 'base64url');
}

/**
 * The public half of a key, public or private.
 *
 * @returns Undefined when the key is neither on P-256 nor Ed25519. Errors: none.
 */
export function publicJwkOf(key: KeyObject): PublicJwk | undefined {
  if (key.asymmetricKeyType !== 'ec' && key.asymmetricKeyType !== 'ed25519') return undefined;
  const { kty, crv, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (x === undefined) return undefined;
  if (kty === 'EC' && crv === 'P-256' && y !== undefined) return { kty, crv, x, y };
  return kty === 'OKP' && crv === 'Ed25519' ? { kty, crv, x } : undefined;
}

/**
 * Imports a public key.
 *
 * @returns Undefined when its numbers are not those of a key: a point beside the curve. Errors: none.
 */
export function importPublicJwk({ kty, crv, x, ...rest }: PublicJwk): KeyObject | undefined {
  const jwk: NodeJwk = 'y' in rest ? { kty, crv, x, y: rest.y } : { kty, crv, x };
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** A private key as JWK, to be stored. Undefined when the key is neither on P-256 nor Ed25519. Errors: none. */
export function privateJwkOf(key: KeyObject): PrivateJwk | undefined {
  const publicJwk = publicJwkOf(key);
  const { d } = key.export({ format: 'jwk' });
  return publicJwk === undefined || d === undefined ? undefined : { ...publicJwk, d };
}
