/**
 * The parts of a leaf that follow from its profile, written backwards: in each function what stands last in the
 * certificate comes first. Source: RFC 5280 section 4.2, SPIFFE X509-SVID section 4.
 */

import type { LeafProfile } from '../domain/certificate/profile.ts';
import { contextTag, type DerWriter, der, objectIdentifier, TAG } from './der.ts';
import { extension, KEY_IDENTIFIER_BYTES, keyIdentifier, OID } from './x509-encoding.ts';

// Bit 0 of eight, seven unused. For RSA too: no key of ours is used to encipher keys.
const KEY_USAGE = extension(OID.keyUsage, der(TAG.bitString, Buffer.of(7, 0x80)), 'critical');
// cA is FALSE by default, and DER leaves defaults out: an empty sequence.
const NOT_AN_AUTHORITY = extension(OID.basicConstraints, der(TAG.sequence), 'critical');
const SUBJECT_KEY_HEAD = extension(
  OID.subjectKeyIdentifier,
  der(TAG.octetString, Buffer.alloc(KEY_IDENTIFIER_BYTES)),
).subarray(0, -KEY_IDENTIFIER_BYTES);
const USAGES = {
  clientAuth: objectIdentifier(OID.clientAuth),
  serverAuth: objectIdentifier(OID.serverAuth),
  documentSigning: objectIdentifier(OID.documentSigning),
} as const;
const EXTENDED_KEY_USAGE = objectIdentifier(OID.extendedKeyUsage);
const SUBJECT_ALT_NAME = objectIdentifier(OID.subjectAltName);
const COMMON_NAME = objectIdentifier(OID.commonName);
const ORGANIZATION = objectIdentifier(OID.organization);
const TRUE = der(TAG.boolean, Buffer.of(0xff));
const URI_NAME = contextTag(6, 'primitive');
const DNS_NAME = contextTag(2, 'primitive');
const IP_ADDRESS = contextTag(7, 'primitive');

/** Where the constant parts of the extensions come from. */
export interface LeafExtensions {
  readonly profile: LeafProfile;
  readonly spkiDer: Uint8Array;
  /** The whole extension; the same for all leaves of an authority. */
  readonly authorityKeyId: Uint8Array;
}

/**
 * Writes the Extensions field: keyUsage, extKeyUsage, basicConstraints, subjectKeyIdentifier, authorityKeyIdentifier,
 * subjectAltName.
 */
export function writeLeafExtensions(
  writer: DerWriter,
  { profile, spkiDer, authorityKeyId }: LeafExtensions,
): void {
  const mark = writer.length;
  writeSubjectAltName(writer, profile);
  writer.bytes(authorityKeyId);
  writer.bytes(keyIdentifier(spkiDer));
  writer.bytes(SUBJECT_KEY_HEAD);
  writer.bytes(NOT_AN_AUTHORITY);
  if (profile.extendedKeyUsages.length > 0) writeExtendedKeyUsage(writer, profile);
  writer.bytes(KEY_USAGE);
  writer.wrap(TAG.sequence, mark);
  writer.wrap(contextTag(3, 'constructed'), mark);
}

/** Writes the subject: organization, then common name, each if there is one. */
export function writeLeafSubject(writer: DerWriter, { organization, commonName }: LeafProfile): void {
  const mark = writer.length;
  if (commonName !== undefined) writeAttribute(writer, COMMON_NAME, commonName);
  if (organization !== undefined) writeAttribute(writer, ORGANIZATION, organization);
  writer.wrap(TAG.sequence, mark);
}

/** The URI first, then the DNS names and the addresses, each in their order. Critical only when there is no subject, section 4.2.1.6. */
function writeSubjectAltName(writer: DerWriter, profile: LeafProfile): void {
  const mark = writer.length;
  for (const address of profile.ipAddresses?.toReversed() ?? []) writeAddress(writer, address);
  for (let at = profile.dnsNames.length - 1; at >= 0; at--)
    writeName(writer, DNS_NAME, profile.dnsNames[at] ?? '');
  writeName(writer, URI_NAME, profile.spiffeId);
  writer.wrap(TAG.sequence, mark);
  writer.wrap(TAG.octetString, mark);
  if (profile.organization === undefined && profile.commonName === undefined) writer.bytes(TRUE);
  writer.bytes(SUBJECT_ALT_NAME);
  writer.wrap(TAG.sequence, mark);
}

function writeExtendedKeyUsage(writer: DerWriter, { extendedKeyUsages }: LeafProfile): void {
  const mark = writer.length;
  for (const usage of extendedKeyUsages.toReversed()) writer.bytes(USAGES[usage]);
  writer.wrap(TAG.sequence, mark);
  writer.wrap(TAG.octetString, mark);
  writer.bytes(EXTENDED_KEY_USAGE);
  writer.wrap(TAG.sequence, mark);
}

function writeName(writer: DerWriter, tag: number, name: string): void {
  const mark = writer.length;
  writer.ascii(name);
  writer.wrap(tag, mark);
}

/** Four octets, section 4.2.1.6. */
function writeAddress(writer: DerWriter, address: string): void {
  const mark = writer.length;
  writer.bytes(Buffer.from(address.split('.').map(Number)));
  writer.wrap(IP_ADDRESS, mark);
}

/** One attribute in a RelativeDistinguishedName of its own. */
function writeAttribute(writer: DerWriter, type: Uint8Array, value: string): void {
  const mark = writer.length;
  writeName(writer, TAG.utf8String, value);
  writer.bytes(type);
  writer.wrap(TAG.sequence, mark);
  writer.wrap(TAG.set, mark);
}
