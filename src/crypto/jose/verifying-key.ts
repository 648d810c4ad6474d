/** Published keys, ready to verify with; and the keys of a bundle by their issuers. */

import { type KeyObject, verify } from 'node:crypto';
import { type PublishedKey, readJwksFile } from '../../domain/token/state/jwks-file.ts';
import type { Issuers, VerifyingKey } from '../../domain/token/state/verifier-state.ts';
import { derSignature } from './ecdsa-signature.ts';
import { algorithmOf, importPublicJwk, jwkThumbprint } from './jwk.ts';

/**
 * Reads jwks.json.
 *
 * @returns Undefined when the file is not of its form, or any key is not what it says: its numbers are no key, its `kid` is
 *   not its thumbprint, it stands twice. Errors: none.
 */
export function readIssuers(json: string): Issuers | undefined {
  const file = readJwksFile(json);
  if (file === undefined) return undefined;
  const issuers = new Map<string, ReadonlyMap<string, VerifyingKey>>();
  for (const [issuer, { keys }] of file.issuers) {
    const read = keys.flatMap((key) => createVerifyingKey(key) ?? []);
    const byKeyId = new Map(read.map((key) => [key.kid, key]));
    if (byKeyId.size < keys.length) return undefined;
    issuers.set(issuer, byKeyId);
  }
  return issuers;
}

/** Makes a verifying key, or undefined when it is not the key it says. Errors: none. */
export function createVerifyingKey(published: PublishedKey): VerifyingKey | undefined {
  const jwk =
    published.kty === 'EC'
      ? ({ kty: published.kty, crv: published.crv, x: published.x, y: published.y } as const)
      : ({ kty: published.kty, crv: published.crv, x: published.x } as const);
  const key = jwkThumbprint(jwk) === published.kid ? importPublicJwk(jwk) : undefined;
  if (key === undefined) return undefined;
  const algorithm = algorithmOf(jwk);
  return {
    kid: published.kid,
    algorithm,
    jwk,
    since: published.since,
    until: published.until ?? Number.POSITIVE_INFINITY,
    verifies:
      algorithm === 'ES256'
        ? (input, signature) => verifiesEs256(input, signature, key)
        : (input, signature) => verify(null, Buffer.from(input, 'latin1'), key, signature),
  };
}

function verifiesEs256(input: string, signature: Uint8Array, key: KeyObject): boolean {
  const der = derSignature(signature);
  return der !== undefined && verify('sha256', Buffer.from(input, 'latin1'), key, der);
}
