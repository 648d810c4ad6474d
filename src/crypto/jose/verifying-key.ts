/** Published keys, ready to verify with; and the keys of a bundle by their issuers. */

import { type KeyObject, verify } from 'node:crypto';
import { type PublicJwk, type PublishedKey, readJwksFile } from '../../domain/token/state/jwks-file.ts';
import type { Issuers, VerifyingKey } from '../../domain/token/state/verifier-state.ts';
import { derSignature } from './ecdsa-signature.ts';
import { algorithmOf, importPublicJwk, jwkThumbprint } from './jwk.ts';

const NO_ISSUERS: Issuers = new Map();

/**
 * Reads jwks.json. Importing a key takes longer than all the rest, so one that is known is not imported again.
 *
 * @param known Of an earlier reading. Nothing that the file does not name is held any longer.
 * @returns Undefined when the file is not of its form, or any key is not what it says: its numbers are no key, its `kid` is
 *   not its thumbprint, it stands twice. Errors: none.
 */
export function readIssuers(json: string, known: Issuers = NO_ISSUERS): Issuers | undefined {
  const file = readJwksFile(json);
  if (file === undefined) return undefined;
  const issuers = new Map<string, ReadonlyMap<string, VerifyingKey>>();
  for (const [issuer, { keys }] of file.issuers) {
    const knownKeys = known.get(issuer);
    const read = keys.flatMap((key) => createVerifyingKey(key, knownKeys?.get(key.kid)) ?? []);
    const byKeyId = new Map(read.map((key) => [key.kid, key]));
    if (byKeyId.size < keys.length) return undefined;
    issuers.set(issuer, byKeyId);
  }
  return issuers;
}

/**
 * Makes a verifying key, or undefined when it is not the key it says. Errors: none.
 *
 * @param known The key that was made for this `kid` before, if any; its numbers are compared, not imported.
 */
export function createVerifyingKey(published: PublishedKey, known?: VerifyingKey): VerifyingKey | undefined {
  const jwk = jwkOf(published);
  const { kid, since, until = Number.POSITIVE_INFINITY } = published;
  if (known !== undefined && known.kid === kid && isSameJwk(known.jwk, jwk))
    return known.since === since && known.until === until ? known : { ...known, since, until };
  const key = jwkThumbprint(jwk) === kid ? importPublicJwk(jwk) : undefined;
  if (key === undefined) return undefined;
  const algorithm = algorithmOf(jwk);
  return {
    kid,
    algorithm,
    jwk,
    since,
    until,
    verifies:
      algorithm === 'ES256'
        ? (input, signature) => verifiesEs256(input, signature, key)
        : (input, signature) => verify(null, Buffer.from(input, 'latin1'), key, signature),
  };
}

function jwkOf(published: PublishedKey): PublicJwk {
  const { kty, crv, x } = published;
  return kty === 'EC' ? { kty, crv, x, y: published.y } : { kty, crv, x };
}

function isSameJwk(a: PublicJwk, b: PublicJwk): boolean {
  if (a.kty !== b.kty || a.x !== b.x) return false;
  return a.kty !== 'EC' || (b.kty === 'EC' && a.y === b.y);
}

function verifiesEs256(input: string, signature: Uint8Array, key: KeyObject): boolean {
  const der = derSignature(signature);
  return der !== undefined && verify('sha256', Buffer.from(input, 'latin1'), key, der);
}
