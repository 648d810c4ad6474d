/**
 * Key pairs as the bytes that certificates and Secrets need. Keys of elliptic curves are put together from their
 * numbers: exporting a key object costs more than making the key.
 */

import { createECDH, type ECDH, generateKeyPair as generateWithCallback, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyProfile } from '../domain/certificate/profile.ts';
import { contextTag, der, objectIdentifier, TAG } from './der.ts';
import { bitString, OID } from './x509-encoding.ts';

/** A key pair. Whoever holds it overwrites `pkcs8Der` as soon as it is written. */
export interface KeyPair {
  /** SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7; an elliptic point is uncompressed. */
  readonly spkiDer: Buffer;
  /** PrivateKeyInfo, RFC 5958; for ECDSA with the public key inside, RFC 5915. */
  readonly pkcs8Der: Buffer;
  readonly algorithm: KeyProfile;
}

/** A curve, and both encodings with zeros where the numbers go. */
interface Curve {
  readonly algorithm: KeyProfile;
  /** As OpenSSL knows it. */
  readonly name: string;
  readonly ecdh: ECDH;
  readonly pointBytes: number;
  /** Ends with the point. */
  readonly spki: Buffer;
  /** Ends with the point. */
  readonly pkcs8: Buffer;
  /** Where the private number stands in `pkcs8`. */
  readonly scalarStart: number;
  readonly scalarEnd: number;
}

/** First octet of a point, SEC 1 section 2.3.3. */
const UNCOMPRESSED = 4;
const ZERO = der(TAG.integer, Buffer.of(0));
// Parameters NULL, RFC 8017 appendix A.1.
const RSA_ENCRYPTION = der(TAG.sequence, objectIdentifier(OID.rsaEncryption), Buffer.of(0x05, 0x00));
const generateOnPool = promisify(generateWithCallback);
const CURVES = { 256: curve(256, 'prime256v1', OID.p256), 384: curve(384, 'secp384r1', OID.p384) } as const;

/**
 * Makes an ECDSA key pair on P-256 or P-384.
 *
 * @param size Bits of the curve.
 * @throws Whatever OpenSSL reports; it has no randomness left.
 */
export function generateEcKeyPair(size: 256 | 384): KeyPair {
  const { algorithm, ecdh, spki, pkcs8, pointBytes, scalarEnd } = CURVES[size];
  const point = ecdh.generateKeys();
  const scalar = ecdh.getPrivateKey();
  const spkiDer = Buffer.from(spki);
  const pkcs8Der = Buffer.from(pkcs8);
  spkiDer.set(point, spkiDer.length - pointBytes);
  pkcs8Der.set(point, pkcs8Der.length - pointBytes);
  // Leading zeros are dropped by getPrivateKey(): about one key in 256 is shorter than its field.
  pkcs8Der.set(scalar, scalarEnd - scalar.length);
  scalar.fill(0);
  return { spkiDer, pkcs8Der, algorithm };
}

/**
 * The public key of a private key that is encoded exactly as {@link generateEcKeyPair} does it, computed from the
 * private number: the public key beside it is only compared.
 *
 * @returns The uncompressed point; `undefined` when the encoding is another or both do not belong together.
 *
 * Errors: none.
 */
export function ecPublicPoint(pkcs8Der: Buffer): Buffer | undefined {
  const form = Object.values(CURVES).find((curve) => hasForm(pkcs8Der, curve));
  if (form === undefined) return undefined;
  const ecdh = createECDH(form.name); // not the shared one, which would keep the key
  const scalar = pkcs8Der.subarray(form.scalarStart, form.scalarEnd);
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    return undefined; // zero, or not below the order of the curve
  }
  const point = ecdh.getPublicKey();
  return point.equals(pkcs8Der.subarray(-form.pointBytes)) ? point : undefined;
}

/**
 * Whether a private key is encoded as it is written here: PrivateKeyInfo without attributes, RFC 5958; ECDSA with the public key
 * beside the private number, RFC 5915; RSA with two primes, RFC 8017 appendix A.1.2. Whether its numbers agree is not looked at.
 *
 * @param privateKey What OpenSSL reads of it.
 *
 * Errors: none.
 */
export function isAsWritten(pkcs8Der: Buffer, privateKey: KeyObject): boolean {
  if (Object.values(CURVES).some((curve) => hasForm(pkcs8Der, curve))) return true;
  // Of others nothing is exported: for DSA and more that fails, and if it fails for the numbers of a key it leaves an error
  // behind, with which the next key fails that is read, whosever it is.
  if (privateKey.asymmetricKeyType !== 'rsa') return false;
  const written = writtenRsaKey(privateKey);
  const isSame = written.equals(pkcs8Der);
  written.fill(0);
  return isSame;
}

function writtenRsaKey(privateKey: KeyObject): Buffer {
  const { n, e, d, p, q, dp, dq, qi } = privateKey.export({ format: 'jwk' });
  const numbers = [n, e, d, p, q, dp, dq, qi].map((text = '') =>
    der(TAG.integer, positive(Buffer.from(text, 'base64url'))),
  );
  const rsaPrivateKey = der(TAG.sequence, ZERO, ...numbers);
  return der(TAG.sequence, ZERO, RSA_ENCRYPTION, der(TAG.octetString, rsaPrivateKey));
}

/**
 * Makes a key pair of any kind a profile can ask for. RSA takes tens of milliseconds and more, so it is made on a thread
 * of the pool.
 *
 * @throws Whatever OpenSSL reports.
 */
export async function generateKeyPair(algorithm: KeyProfile): Promise<KeyPair> {
  if (algorithm.algorithm === 'ECDSA') return generateEcKeyPair(algorithm.size);
  const { publicKey, privateKey } = await generateOnPool('rsa', {
    modulusLength: algorithm.size,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return { spkiDer: publicKey, pkcs8Der: privateKey, algorithm };
}

/** Contents of an INTEGER that is not negative; JWK numbers have no leading zero octets. */
function positive(octets: Buffer): Buffer {
  return (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
}

function curve(size: 256 | 384, name: string, oid: string): Curve {
  const scalarBytes = size / 8;
  const pointBytes = 1 + 2 * scalarBytes;
  const identifier = der(TAG.sequence, objectIdentifier(OID.ecPublicKey), objectIdentifier(oid));
  const point = bitString(Buffer.alloc(pointBytes));
  const publicKey = der(contextTag(1, 'constructed'), point);
  const scalar = der(TAG.octetString, Buffer.alloc(scalarBytes));
  const ecPrivateKey = der(TAG.sequence, der(TAG.integer, Buffer.of(1)), scalar, publicKey);
  const pkcs8 = der(
    TAG.sequence,
    der(TAG.integer, Buffer.of(0)),
    identifier,
    der(TAG.octetString, ecPrivateKey),
  );
  return {
    algorithm: { algorithm: 'ECDSA', size },
    name,
    // One for all keys: generateKeys() overwrites the key before, and making the object costs a tenth of a leaf.
    ecdh: createECDH(name),
    pointBytes,
    spki: der(TAG.sequence, identifier, point),
    pkcs8,
    scalarStart: pkcs8.length - publicKey.length - scalarBytes,
    scalarEnd: pkcs8.length - publicKey.length,
  };
}

/** Everything but the two numbers is as in the template, and the point is uncompressed. */
function hasForm(pkcs8Der: Buffer, { pkcs8, pointBytes, scalarStart, scalarEnd }: Curve): boolean {
  const pointStart = pkcs8.length - pointBytes;
  return (
    pkcs8Der.length === pkcs8.length &&
    pkcs8Der[pointStart] === UNCOMPRESSED &&
    pkcs8Der.compare(pkcs8, 0, scalarStart, 0, scalarStart) === 0 &&
    pkcs8Der.compare(pkcs8, scalarEnd, pointStart, scalarEnd, pointStart) === 0
  );
}
