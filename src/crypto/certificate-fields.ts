/**
 * What a certificate says, read from its DER because X509Certificate of node:crypto does not tell it exactly: names,
 * usages, key. Nothing is verified here. Source: RFC 5280 section 4.1 and 4.2.
 */

import { X509Certificate } from 'node:crypto';
import asn1 from 'node-forge/lib/asn1.js';
import type { NameConstraints } from '../domain/certificate/name-constraints.ts';
import { child, children, type Element, octets, tagOf } from './asn1-element.ts';
import { contextTag, TAG } from './der.ts';
import { readNameConstraints } from './name-constraints.ts';
import { OID } from './x509-encoding.ts';

/** Fields of a certificate. Instants are milliseconds since the Unix epoch. */
export interface CertificateFields {
  /** Lower-case hexadecimal, no leading zero octet. */
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Attributes of the subject in order: dotted type and text. */
  readonly subject: readonly (readonly [oid: string, value: string])[];
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Subject alternative names that are neither URI nor DNS name. */
  readonly otherNameCount: number;
  /** basicConstraints says CA. */
  readonly isAuthority: boolean;
  /** How many authorities there may be between this one and a leaf; absent means any number. */
  readonly pathLength: number | undefined;
  /** Names of section 4.2.1.3 in order of their bits; empty when the extension is absent. */
  readonly keyUsages: readonly string[];
  /** `clientAuth`, `serverAuth`, `documentSigning`, others dotted; empty when the extension is absent. */
  readonly extendedKeyUsages: readonly string[];
  readonly subjectKeyIdentifier: Buffer | undefined;
  /** What names there may be below an authority; absent means any. */
  readonly nameConstraints?: NameConstraints;
  /** `ECDSA`, `RSA`, others dotted. */
  readonly keyAlgorithm: string;
  /** Bits; 0 when not known. */
  readonly keySize: number;
  /** The subjectPublicKey without the octet of unused bits: for ECDSA the point. */
  readonly publicKeyBits: Buffer;
}

const READ_OPTIONS = { strict: true, parseAllBytes: true, decodeBitStrings: false } as const;
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
const USAGE_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.clientAuth, 'clientAuth'],
  [OID.serverAuth, 'serverAuth'],
  [OID.documentSigning, 'documentSigning'],
]);
const CURVE_BITS: ReadonlyMap<string, number> = new Map([
  [OID.p256, 256],
  [OID.p384, 384],
]);
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  OID.nameConstraints,
  OID.subjectKeyIdentifier,
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.authorityKeyIdentifier,
  OID.extendedKeyUsage,
]);
const FIRST_EXTENSIONS_FIELD = 7;

/** A certificate with how it says what it says. */
export interface CertificateForm {
  readonly fields: CertificateFields;
  /** Dotted types of its extensions, in order. */
  readonly extensions: readonly string[];
  /** Those of them that are critical. */
  readonly critical: readonly string[];
  /** Critical ones that are not known here. */
  readonly unknown: readonly string[];
  /** Of the signature over it, dotted. */
  readonly signatureAlgorithm: string;
}

/**
 * Reads a certificate.
 *
 * @param certificateDer Its size is bounded by the caller.
 * @returns Its fields, or `undefined` when it is no certificate of version 3, says a thing twice, or has a critical
 *   extension that is not known here.
 *
 * Errors: none.
 */
export function readCertificateFields(certificateDer: Buffer): CertificateFields | undefined {
  const form = readCertificateForm(certificateDer);
  return form === undefined || form.unknown.length > 0 ? undefined : form.fields;
}

/** The same with its form, and whatever critical extensions it has: whoever asks looks at `unknown`. */
export function readCertificateForm(certificateDer: Buffer): CertificateForm | undefined {
  try {
    return formOf(asn1.fromDer(certificateDer.toString('latin1'), READ_OPTIONS));
  } catch {
    return undefined; // asn1 and the readers below throw on what is not as expected; why does not matter
  }
}

/**
 * The subject of a certificate as it is encoded.
 *
 * @returns The DER of the Name, or `undefined` when the certificate is not read or is not exactly DER.
 */
export function readSubjectDer(certificateDer: Buffer): Buffer | undefined {
  try {
    const text = certificateDer.toString('latin1');
    const certificate = asn1.fromDer(text, READ_OPTIONS);
    if (asn1.toDer(certificate).getBytes() !== text) return undefined;
    const [, , , , , subject] = children(child(certificate, 0));
    return subject === undefined ? undefined : Buffer.from(asn1.toDer(subject).getBytes(), 'latin1');
  } catch {
    return undefined;
  }
}

/** The certificate as node:crypto reads it, to verify with; `undefined` when OpenSSL does not take it. */
export function readX509(certificateDer: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(certificateDer);
  } catch {
    return undefined;
  }
}

function formOf(certificate: Element): CertificateForm {
  const tbs = child(certificate, 0);
  if (tagOf(child(tbs, 0)) !== contextTag(0, 'constructed')) throw new TypeError('not version 3');
  const found = readExtensions(children(tbs).slice(FIRST_EXTENSIONS_FIELD));
  const oids = [...found.keys()];
  const critical = oids.filter((oid) => found.get(oid)?.isCritical === true);
  return {
    fields: fieldsOf(tbs, new Map(oids.map((oid) => [oid, found.get(oid)?.value]))),
    extensions: oids,
    critical,
    unknown: critical.filter((oid) => !KNOWN_EXTENSIONS.has(oid)),
    signatureAlgorithm: asn1.derToOid(octets(child(child(certificate, 1), 0))),
  };
}

function fieldsOf(tbs: Element, extensions: ReadonlyMap<string, Element | undefined>): CertificateFields {
  const names = altNames(extensions.get(OID.subjectAltName));
  const constraints = extensions.get(OID.basicConstraints);
  const keyIdentifier = extensions.get(OID.subjectKeyIdentifier);
  const subtrees = extensions.get(OID.nameConstraints);
  const isAuthority = constraints !== undefined && isTrue(children(constraints)[0]);
  if (subtrees !== undefined && !isAuthority) throw new TypeError('only an authority constrains names');
  return {
    serialHex: Buffer.from(octets(child(tbs, 1)), 'latin1')
      .toString('hex')
      .replace(/^(00)+(?=..)/, ''),
    notBeforeMs: instantMs(child(child(tbs, 4), 0)),
    notAfterMs: instantMs(child(child(tbs, 4), 1)),
    subject: children(child(tbs, 5)).flatMap((rdn) => children(rdn).map(attribute)),
    uris: textsOf(names, contextTag(6, 'primitive')),
    dnsNames: textsOf(names, contextTag(2, 'primitive')),
    otherNameCount: names.filter((name) => !isUriOrDns(name)).length,
    isAuthority,
    pathLength: constraints && pathLength(children(constraints)[1]),
    keyUsages: keyUsages(extensions.get(OID.keyUsage)),
    extendedKeyUsages: extendedKeyUsages(extensions.get(OID.extendedKeyUsage)),
    subjectKeyIdentifier: keyIdentifier && Buffer.from(octets(keyIdentifier), 'latin1'),
    ...(subtrees === undefined ? {} : { nameConstraints: readNameConstraints(subtrees) }),
    ...publicKey(child(tbs, 6)),
  };
}

/** An extension; `value` only of those that are known here. */
interface Extension {
  readonly isCritical: boolean;
  readonly value: Element | undefined;
}

/** By their dotted types. */
function readExtensions(fields: readonly Element[]): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  const field = fields.find((element) => tagOf(element) === contextTag(3, 'constructed'));
  for (const extension of field === undefined ? [] : children(child(field, 0))) {
    const oid = asn1.derToOid(octets(child(extension, 0)));
    const value = octets(children(extension).at(-1));
    if (found.has(oid)) throw new TypeError('an extension stands twice');
    const isKnown = KNOWN_EXTENSIONS.has(oid);
    found.set(oid, {
      isCritical: isTrue(child(extension, 1)),
      value: isKnown ? asn1.fromDer(value, READ_OPTIONS) : undefined,
    });
  }
  return found;
}

function altNames(extension: Element | undefined): readonly Element[] {
  return extension === undefined ? [] : children(extension);
}

function textsOf(names: readonly Element[], tag: number): readonly string[] {
  // Copies: a slice of the whole certificate would keep all of it in memory.
  return names
    .filter((name) => tagOf(name) === tag)
    .map((name) => Buffer.from(octets(name), 'latin1').toString('latin1'));
}

function isUriOrDns(name: Element): boolean {
  const tag = tagOf(name);
  return tag === contextTag(6, 'primitive') || tag === contextTag(2, 'primitive');
}

function keyUsages(extension: Element | undefined): readonly string[] {
  if (extension === undefined) return [];
  const [, ...bits] = Buffer.from(octets(extension), 'latin1'); // the first octet counts unused bits
  return KEY_USAGES.filter((_name, at) => ((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0);
}

function extendedKeyUsages(extension: Element | undefined): readonly string[] {
  if (extension === undefined) return [];
  return children(extension).map((element) => {
    const oid = asn1.derToOid(octets(element));
    return USAGE_NAMES.get(oid) ?? oid;
  });
}

function publicKey(spki: Element): Pick<CertificateFields, 'keyAlgorithm' | 'keySize' | 'publicKeyBits'> {
  const [oid, parameters] = children(child(spki, 0));
  const algorithm = asn1.derToOid(octets(oid));
  const bits = octets(child(spki, 1)).slice(1);
  const publicKeyBits = Buffer.from(bits, 'latin1');
  if (algorithm === OID.ecPublicKey) {
    const keySize = CURVE_BITS.get(asn1.derToOid(octets(parameters))) ?? 0;
    return { keyAlgorithm: 'ECDSA', keySize, publicKeyBits };
  }
  if (algorithm !== OID.rsaEncryption) return { keyAlgorithm: algorithm, keySize: 0, publicKeyBits };
  const modulus = Buffer.from(octets(child(asn1.fromDer(bits, READ_OPTIONS), 0)), 'latin1').toString('hex');
  const digits = modulus.replace(/^0+/, '');
  const keySize = digits.length * 4 - (Math.clz32(Number.parseInt(digits.charAt(0), 16)) - 28);
  return { keyAlgorithm: 'RSA', keySize, publicKeyBits };
}

function attribute(element: Element): readonly [oid: string, value: string] {
  const text = Buffer.from(octets(child(element, 1)), 'latin1').toString('utf8');
  return [asn1.derToOid(octets(child(element, 0))), text];
}

function instantMs(element: Element): number {
  const text = octets(element);
  const date = tagOf(element) === TAG.utcTime ? asn1.utcTimeToDate(text) : asn1.generalizedTimeToDate(text);
  const instant = date.getTime();
  if (Number.isNaN(instant)) throw new TypeError('no time');
  return instant;
}

/** One octet is enough for every path there is. */
function pathLength(element: Element | undefined): number | undefined {
  return element === undefined ? undefined : octets(element).charCodeAt(0);
}

function isTrue(element: Element | undefined): boolean {
  return element !== undefined && tagOf(element) === TAG.boolean && octets(element) === '\xff';
}
