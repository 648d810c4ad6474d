/** Reading private keys from outside, and finding out whether one really is that of a certificate. */

import { createPrivateKey, type KeyObject, sign, verify, type X509Certificate } from 'node:crypto';
import type { CertificateFields } from './certificate-fields.ts';
import { ecPublicPoint, isAsWritten } from './key-pair.ts';
import { decodePem, PEM_LIMIT_BYTES } from './pem.ts';

/** A certificate whose key is looked for. */
export interface KeyHolder {
  readonly certificate: X509Certificate;
  readonly fields: Pick<CertificateFields, 'keyAlgorithm' | 'keySize' | 'publicKeyBits'>;
}

/** What a private key is to a certificate; `matches` is false when there is no certificate. */
export type PrivateKeyFinding =
  | { readonly kind: 'readable'; readonly matches: boolean }
  | { readonly kind: 'problem'; readonly problem: string };

const FORM = { label: 'PRIVATE KEY', limitBytes: PEM_LIMIT_BYTES.privateKey, maxBlocks: 1 } as const;
const PROBE = Buffer.from('agent-trust key probe');
const NOT_A_KEY = 'was not a private key';
const OTHER_FORM = 'was not encoded as private keys are';

/**
 * Finds out whether a private key is that of a certificate, without keeping it.
 *
 * @param privateKeyPem PKCS#8 in PEM, at most 13,000 bytes, as keys are written here: OpenSSL reads over octets that say
 *   nothing to it, such as versions, and whoever else reads the Secret may not.
 *
 * Errors: none.
 */
export function inspectPrivateKey(
  privateKeyPem: Uint8Array,
  holder: KeyHolder | undefined,
): PrivateKeyFinding {
  const pem = decodePem(privateKeyPem, FORM);
  if (pem.kind === 'problem') return pem;
  const [key = Buffer.alloc(0)] = pem.blocks;
  try {
    const point = ecPublicPoint(key);
    if (point !== undefined)
      return { kind: 'readable', matches: holder !== undefined && isPointOf(point, holder) };
    const privateKey = keyObject(key);
    if (privateKey === undefined) return { kind: 'problem', problem: NOT_A_KEY };
    if (!isAsWritten(key, privateKey)) return { kind: 'problem', problem: OTHER_FORM };
    return { kind: 'readable', matches: holder !== undefined && isKeyOf(privateKey, holder.certificate) };
  } finally {
    key.fill(0);
  }
}

/**
 * Reads a private key to sign with; the decoded bytes are overwritten.
 *
 * @param privateKeyPem PKCS#8 in PEM, at most 13,000 bytes.
 * @returns `undefined` when it is none. Errors: none.
 */
export function readPrivateKey(privateKeyPem: Uint8Array): KeyObject | undefined {
  const pem = decodePem(privateKeyPem, FORM);
  if (pem.kind === 'problem') return undefined;
  const [key = Buffer.alloc(0)] = pem.blocks;
  try {
    return keyObject(key);
  } finally {
    key.fill(0);
  }
}

/**
 * Whether a private key is that of a certificate. It signs, and the certificate verifies: OpenSSL's own comparison
 * (`checkPrivateKey`) looks only at the public key that is stored beside the private one. The numbers of an RSA key must agree
 * as well: OpenSSL makes a good signature with what is left of them, and others do not.
 */
export function isKeyOf(privateKey: KeyObject, certificate: X509Certificate): boolean {
  try {
    if (!certificate.checkPrivateKey(privateKey)) return false;
    if (privateKey.asymmetricKeyType === 'rsa' && !isWholeRsaKey(privateKey)) return false;
    return verify('sha256', PROBE, certificate.publicKey, sign('sha256', PROBE, privateKey));
  } catch {
    return false; // a key that cannot sign at all
  }
}

/** The quick way for keys of ours: the point was computed from the private number. */
function isPointOf(point: Buffer, { fields }: KeyHolder): boolean {
  const { keyAlgorithm, keySize, publicKeyBits } = fields;
  return keyAlgorithm === 'ECDSA' && keySize > 0 && point.equals(publicKeyBits);
}

/** Whether all numbers of an RSA key follow from each other, RFC 8017 section 3.2. @throws for one of more than two primes. */
function isWholeRsaKey(privateKey: KeyObject): boolean {
  const { n, e, d, p, q, dp, dq, qi } = privateKey.export({ format: 'jwk' });
  const number = (text = ''): bigint => BigInt(`0x0${Buffer.from(text, 'base64url').toString('hex')}`);
  const [primeP, primeQ, exponent] = [number(p), number(q), number(d)];
  const [orderP, orderQ] = [primeP - 1n, primeQ - 1n];
  if (orderP <= 0n || orderQ <= 0n) return false;
  return (
    primeP * primeQ === number(n) &&
    (number(e) * exponent) % orderP === 1n &&
    (number(e) * exponent) % orderQ === 1n &&
    exponent % orderP === number(dp) &&
    exponent % orderQ === number(dq) &&
    (number(qi) * primeQ) % primeP === 1n
  );
}

function keyObject(key: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    return undefined;
  }
}
