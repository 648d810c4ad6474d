/** Writing certificate revocation lists. Source: RFC 5280 section 5. */

import { type KeyObject, sign } from 'node:crypto';
import { contextTag, DerWriter, der, TAG } from './der.ts';
import { encodePem } from './pem.ts';
import {
  AUTHORITY_SIGNATURE,
  bitString,
  extension,
  OID,
  type SignatureForm,
  writeSerial,
  writeTime,
} from './x509-encoding.ts';

/** Why a leaf is revoked, section 5.3.1: the numbers that are written. */
export const CRL_REASON = { cessationOfOperation: 5, privilegeWithdrawn: 9 } as const;

/** A revoked leaf. */
export interface CrlEntry {
  /** Lower-case hexadecimal, whole octets, the first not zero. */
  readonly serialHex: string;
  /** Milliseconds since the Unix epoch, whole seconds. */
  readonly revokedAtMs: number;
  readonly reason: keyof typeof CRL_REASON;
}

/** What a list says. Instants are milliseconds since the Unix epoch, whole seconds. */
export interface CrlContents {
  /** Greater than that of every list of this authority before; a whole number. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** In the order in which they are written. */
  readonly entries: readonly CrlEntry[];
}

/** What signs it. */
export interface CrlSigner {
  /** ECDSA on P-256 or P-384, or RSA. */
  readonly privateKey: KeyObject;
  /** The subject of the authority as encoded in its own certificate. */
  readonly subjectDer: Uint8Array;
  /** Its subject key identifier. */
  readonly keyIdentifier: Uint8Array;
}

const VERSION_2 = der(TAG.integer, Buffer.of(1));
const REASONS: Readonly<Record<CrlEntry['reason'], Buffer>> = {
  cessationOfOperation: reasonExtensions(CRL_REASON.cessationOfOperation),
  privilegeWithdrawn: reasonExtensions(CRL_REASON.privilegeWithdrawn),
};

/**
 * Signs a list of version 2 with authorityKeyIdentifier and cRLNumber.
 *
 * @returns PEM, label `X509 CRL`.
 * @throws TypeError for a key of another kind; RangeError beyond 16 megabytes; whatever OpenSSL reports.
 */
export function signCrl(contents: CrlContents, signer: CrlSigner): string {
  const signature = crlSignatureOf(signer.privateKey);
  if (signature === undefined) throw new TypeError('a revocation list is signed with ECDSA or RSA');
  const toBeSigned = encodeContents(contents, signer, signature.algorithm);
  const signed = bitString(sign(signature.hash, toBeSigned, signer.privateKey));
  return encodePem('X509 CRL', der(TAG.sequence, toBeSigned, signature.algorithm, signed));
}

/** How a key signs lists, private or public; undefined for one that does not. */
export function crlSignatureOf(key: KeyObject): SignatureForm | undefined {
  if (key.asymmetricKeyType === 'rsa') return AUTHORITY_SIGNATURE[2048]; // the same for every size
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return AUTHORITY_SIGNATURE[256];
    case 'secp384r1':
      return AUTHORITY_SIGNATURE[384];
    default:
      return undefined;
  }
}

function encodeContents(
  { number, thisUpdateMs, nextUpdateMs, entries }: CrlContents,
  { subjectDer, keyIdentifier }: CrlSigner,
  algorithm: Uint8Array,
): Buffer {
  const writer = new DerWriter();
  const keyId = der(contextTag(0, 'primitive'), keyIdentifier);
  const extensions = der(
    TAG.sequence,
    extension(OID.authorityKeyIdentifier, der(TAG.sequence, keyId)),
    extension(OID.crlNumber, der(TAG.integer, integerOctets(number))),
  );
  writer.bytes(der(contextTag(0, 'constructed'), extensions));
  writeEntries(writer, entries);
  writeTime(writer, nextUpdateMs);
  writeTime(writer, thisUpdateMs);
  writer.bytes(subjectDer);
  writer.bytes(algorithm);
  writer.bytes(VERSION_2);
  writer.wrap(TAG.sequence, 0);
  return writer.copy();
}

/** When there is none, the field is absent, section 5.1.2.6. */
function writeEntries(writer: DerWriter, entries: readonly CrlEntry[]): void {
  if (entries.length === 0) return;
  const all = writer.length;
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at];
    if (entry === undefined) continue;
    const mark = writer.length;
    writer.bytes(REASONS[entry.reason]);
    writeTime(writer, entry.revokedAtMs);
    writeSerial(writer, Buffer.from(entry.serialHex, 'hex'));
    writer.wrap(TAG.sequence, mark);
  }
  writer.wrap(TAG.sequence, all);
}

function reasonExtensions(reason: number): Buffer {
  return der(TAG.sequence, extension(OID.reasonCode, der(TAG.enumerated, Buffer.of(reason))));
}

/** Contents of an INTEGER that is not negative. */
function integerOctets(value: number): Buffer {
  const hex = BigInt(value).toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
}
