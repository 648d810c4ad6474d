/** Private keys of agents: made, compared with their public halves, and put from JWK into PKCS#8 and back. */

import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { PrivateJwk } from '../../domain/signing/key-files.ts';
import type { TokenAlgorithm } from '../../domain/token/claims.ts';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from '../pem.ts';
import { privateJwkOf, publicJwkOf } from './jwk.ts';

/** PrivateKeyInfo (RFC 5958) up to the private number: RFC 5915 on P-256 with the public key inside, and RFC 8410. */
const PREFIX = {
  EC: Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex'),
  OKP: Buffer.from('302e020100300506032b657004220420', 'hex'),
} as const;
const NUMBER_BYTES = 32;
/** What stands between the private number on P-256 and the two numbers of the point. */
const POINT_PREFIX: Buffer = Buffer.from('a14403420004', 'hex');

/** Makes a key. @throws whatever OpenSSL reports. */
export function generatePrivateJwk(algorithm: TokenAlgorithm): PrivateJwk {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  const jwk = privateJwkOf(privateKey);
  if (jwk === undefined) throw new TypeError('a key of this kind has both halves');
  return jwk;
}

/**
 * Whether the private half of a key belongs to its public half, which is computed from it: importing looks at neither
 * against the other. Errors: none.
 */
export function isWholeKey(jwk: PrivateJwk): boolean {
  return jwk.kty === 'EC' ? isOnCurve(jwk) : isEd25519(jwk);
}

/** Imports a private key. Undefined when it is none, or when its public half is that of another key. Errors: none. */
export function importPrivateJwk(jwk: PrivateJwk): KeyObject | undefined {
  return isWholeKey(jwk) ? createPrivateKey({ key: pkcs8Of(jwk), format: 'der', type: 'pkcs8' }) : undefined;
}

/** The key as PKCS#8 in PEM, the same bytes that OpenSSL writes. */
export function privateKeyPem(jwk: PrivateJwk): string {
  return encodePem('PRIVATE KEY', pkcs8Of(jwk));
}

/** Reads what {@link privateKeyPem} has written. Undefined for every other text. Errors: none. */
export function readPrivateKeyPem(pem: Buffer): PrivateJwk | undefined {
  const form = { label: 'PRIVATE KEY', limitBytes: PEM_LIMIT_BYTES.privateKey, maxBlocks: 1 } as const;
  const read = decodePem(pem, form);
  const [der] = read.kind === 'blocks' ? read.blocks : [];
  // Of another form nothing is exported: an export that fails leaves an error behind, and the next key that is read fails with it.
  if (der === undefined || !hasForm(der)) return undefined;
  try {
    const jwk = privateJwkOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    return jwk !== undefined && isWholeKey(jwk) && pkcs8Of(jwk).equals(der) ? jwk : undefined;
  } catch {
    return undefined;
  }
}

/** All but the numbers is as {@link privateKeyPem} writes it. */
function hasForm(pkcs8Der: Buffer): boolean {
  const { EC, OKP } = PREFIX;
  const pointAt = EC.length + NUMBER_BYTES;
  const isOnEC =
    pkcs8Der.length === pointAt + POINT_PREFIX.length + 2 * NUMBER_BYTES &&
    pkcs8Der.indexOf(EC) === 0 &&
    pkcs8Der.indexOf(POINT_PREFIX, pointAt) === pointAt;
  return isOnEC || (pkcs8Der.length === OKP.length + NUMBER_BYTES && pkcs8Der.indexOf(OKP) === 0);
}

function isOnCurve({ d, ...jwk }: Extract<PrivateJwk, { kty: 'EC' }>): boolean {
  const ecdh = createECDH('prime256v1');
  try {
    ecdh.setPrivateKey(Buffer.from(d, 'base64url'));
  } catch {
    return false; // zero, or not below the order of the curve
  }
  const point = ecdh.getPublicKey();
  return point.subarray(1).equals(pointOf(jwk));
}

function isEd25519(jwk: PrivateJwk): boolean {
  const key = createPrivateKey({ key: pkcs8Of(jwk), format: 'der', type: 'pkcs8' });
  return publicJwkOf(key)?.x === jwk.x;
}

function pkcs8Of(jwk: PrivateJwk): Buffer {
  const start = Buffer.concat([PREFIX[jwk.kty], Buffer.from(jwk.d, 'base64url')]);
  return jwk.kty === 'EC' ? Buffer.concat([start, POINT_PREFIX, pointOf(jwk)]) : start;
}

function pointOf({ x, y }: { readonly x: string; readonly y: string }): Buffer {
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}
