/** The pieces of which our certificates are made, as DER. Source: RFC 5280, the section is named at each. */

import { contextTag, type DerWriter, der, objectIdentifier, TAG } from './der.ts';

/** Object identifiers, dotted. */
export const OID = {
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  /** RFC 9336. */
  documentSigning: '1.3.6.1.5.5.7.3.36',
  ecPublicKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  rsaEncryption: '1.2.840.113549.1.1.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** Version 3, section 4.1.2.1. */
export const VERSION_3: Buffer = der(contextTag(0, 'constructed'), der(TAG.integer, Buffer.of(2)));

/**
 * How an authority signs, by the bits of its curve: the hash and the AlgorithmIdentifier, whose parameters are absent
 * (RFC 5758 section 3.2).
 */
export const ECDSA_SIGNATURE: Readonly<
  Record<256 | 384, { readonly hash: string; readonly algorithm: Uint8Array }>
> = {
  256: { hash: 'sha256', algorithm: der(TAG.sequence, objectIdentifier(OID.ecdsaWithSha256)) },
  384: { hash: 'sha384', algorithm: der(TAG.sequence, objectIdentifier(OID.ecdsaWithSha384)) },
};

/** Bits of the key of an authority: the sizes of curves and those of RSA are told apart by themselves. */
export type AuthorityKeySize = 256 | 384 | 2048 | 3072 | 4096;

/** How anything is signed: a hash, and the AlgorithmIdentifier. */
export interface SignatureForm {
  readonly hash: string;
  readonly algorithm: Uint8Array;
}

// Parameters NULL, RFC 4055 section 5.
const RSA_SIGNATURE: SignatureForm = {
  hash: 'sha256',
  algorithm: der(TAG.sequence, objectIdentifier(OID.sha256WithRsa), Buffer.of(0x05, 0x00)),
};

/** How an authority with a key of so many bits signs. */
export const AUTHORITY_SIGNATURE: Readonly<Record<AuthorityKeySize, SignatureForm>> = {
  ...ECDSA_SIGNATURE,
  2048: RSA_SIGNATURE,
  3072: RSA_SIGNATURE,
  4096: RSA_SIGNATURE,
};

const TRUE = der(TAG.boolean, Buffer.of(0xff));
const NO_UNUSED_BITS = Buffer.of(0);
/** Octets of a key identifier. */
export const KEY_IDENTIFIER_BYTES = 20;
const FIRST_GENERALIZED_YEAR = 2050;
const DIGIT_0 = 0x30;
const LETTER_Z = 0x5a;

/** An Extension, section 4.1. `value` is the DER of its type. */
export function extension(oid: string, value: Uint8Array, form: 'critical' | 'plain' = 'plain'): Buffer {
  const octets = der(TAG.octetString, value);
  const parts = form === 'critical' ? [objectIdentifier(oid), TRUE, octets] : [objectIdentifier(oid), octets];
  return der(TAG.sequence, ...parts);
}

/** The Extensions field of a TBSCertificate, section 4.1.2.9. */
export function extensionsField(extensions: readonly Uint8Array[]): Buffer {
  return der(contextTag(3, 'constructed'), der(TAG.sequence, ...extensions));
}

/** A Name of one attribute per RelativeDistinguishedName, section 4.1.2.4. `serialNumber` is a PrintableString. */
export function distinguishedName(attributes: readonly (readonly [oid: string, value: string])[]): Buffer {
  const parts = attributes.map(([oid, value]) => {
    const tag = oid === OID.serialNumber ? TAG.printableString : TAG.utf8String;
    return der(TAG.set, der(TAG.sequence, objectIdentifier(oid), der(tag, Buffer.from(value))));
  });
  return der(TAG.sequence, ...parts);
}

/** A BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Buffer {
  return der(TAG.bitString, NO_UNUSED_BITS, octets);
}

/**
 * Names a public key by its own last 160 bits, section 4.2.1.2: it asks for a name that is derived from the key and
 * leaves open how. A hash would tell keys apart no better, and costs as much as the rest of the encoding.
 *
 * @param spkiDer SubjectPublicKeyInfo: it ends with the key.
 */
export function keyIdentifier(spkiDer: Uint8Array): Uint8Array {
  return spkiDer.subarray(-KEY_IDENTIFIER_BYTES);
}

/** Writes octets as a positive INTEGER, section 4.1.2.2. The first octet must not be zero. */
export function writeSerial(writer: DerWriter, serial: Uint8Array): void {
  const mark = writer.length;
  writer.bytes(serial);
  if ((serial[0] ?? 0) >= 0x80) writer.octet(0);
  writer.wrap(TAG.integer, mark);
}

/**
 * Writes a Validity, section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
 *
 * @param notBeforeMs Whole seconds, milliseconds since the Unix epoch; so is `notAfterMs`.
 */
export function writeValidity(writer: DerWriter, notBeforeMs: number, notAfterMs: number): void {
  const mark = writer.length;
  writeTime(writer, notAfterMs);
  writeTime(writer, notBeforeMs);
  writer.wrap(TAG.sequence, mark);
}

/**
 * Writes a Time, section 4.1.2.5.
 *
 * @param instantMs Whole seconds, milliseconds since the Unix epoch.
 */
export function writeTime(writer: DerWriter, instantMs: number): void {
  const mark = writer.length;
  const date = new Date(instantMs);
  const year = date.getUTCFullYear();
  writer.octet(LETTER_Z);
  writeTwoDigits(writer, date.getUTCSeconds());
  writeTwoDigits(writer, date.getUTCMinutes());
  writeTwoDigits(writer, date.getUTCHours());
  writeTwoDigits(writer, date.getUTCDate());
  writeTwoDigits(writer, date.getUTCMonth() + 1);
  writeTwoDigits(writer, year % 100);
  const isGeneralized = year >= FIRST_GENERALIZED_YEAR;
  if (isGeneralized) writeTwoDigits(writer, Math.floor(year / 100));
  writer.wrap(isGeneralized ? TAG.generalizedTime : TAG.utcTime, mark);
}

function writeTwoDigits(writer: DerWriter, value: number): void {
  writer.octet(DIGIT_0 + (value % 10));
  writer.octet(DIGIT_0 + Math.floor(value / 10));
}
