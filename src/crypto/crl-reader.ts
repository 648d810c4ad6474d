/** Reading certificate revocation lists, of the form in which `crl.ts` writes them and no other. Source: RFC 5280 section 5. */

import { verify, type X509Certificate } from 'node:crypto';
import { readCertificateFields, readSubjectDer } from './certificate-fields.ts';
import { CRL_REASON, type CrlEntry, crlSignatureOf } from './crl.ts';
import { contextTag, objectIdentifier, TAG } from './der.ts';
import { DerFault, DerReader } from './der-reader.ts';
import { decodePem } from './pem.ts';
import { OID } from './x509-encoding.ts';

/** A list that was read; nothing of it is verified yet. Instants are milliseconds since the Unix epoch. */
export interface RevocationList {
  readonly issuerDer: Buffer;
  /** Of the authority's key. */
  readonly keyIdentifier: Buffer;
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** By serial number, lower-case hexadecimal without leading zero octet. */
  readonly entries: ReadonlyMap<string, Omit<CrlEntry, 'serialHex'>>;
  readonly signed: Signed;
}

interface Signed {
  readonly toBeSigned: Buffer;
  /** AlgorithmIdentifier. */
  readonly algorithm: Buffer;
  readonly signature: Buffer;
}

/** Beyond these nothing of it is looked at. */
const LIMITS = { bytes: 900 * 1024, lists: 64 };

const KEY_IDENTIFIER = contextTag(0, 'primitive');
const EXTENSIONS = contextTag(0, 'constructed');
const MAX_SERIAL_OCTETS = 21;
const MAX_NUMBER_OCTETS = 7;
const AUTHORITY_KEY = objectIdentifier(OID.authorityKeyIdentifier);
const CRL_NUMBER = objectIdentifier(OID.crlNumber);
const REASON_CODE = objectIdentifier(OID.reasonCode);
const REASON_NAMES: ReadonlyMap<number, CrlEntry['reason']> = new Map(
  (Object.keys(CRL_REASON) as CrlEntry['reason'][]).map((name) => [CRL_REASON[name], name]),
);
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const CENTURY_TURN = 50;

/**
 * Reads the lists of a PEM text.
 *
 * @param text As found in a file; its size is looked at before anything else.
 * @returns The lists, or undefined when one is not exactly as written by us: another version, extension or reason, a serial
 *   number twice, not DER, nextUpdate not after thisUpdate. Errors: none.
 */
export function readRevocationLists(text: Uint8Array): readonly RevocationList[] | undefined {
  const form = { label: 'X509 CRL', limitBytes: LIMITS.bytes, maxBlocks: LIMITS.lists } as const;
  const pem = decodePem(text, form);
  if (pem.kind === 'problem') return undefined;
  try {
    return pem.blocks.map(readList);
  } catch (error) {
    if (error instanceof DerFault) return undefined;
    throw error;
  }
}

/**
 * Whether an authority has signed a list: its name, its key identifier, its right to sign lists, and the signature.
 *
 * Errors: none.
 */
export function isSignedBy(list: RevocationList, issuer: X509Certificate): boolean {
  const fields = readCertificateFields(issuer.raw);
  if (fields?.subjectKeyIdentifier?.equals(list.keyIdentifier) !== true) return false;
  if (!fields.keyUsages.includes('cRLSign')) return false;
  if (readSubjectDer(issuer.raw)?.equals(list.issuerDer) !== true) return false;
  const { toBeSigned, algorithm, signature } = list.signed;
  try {
    const expected = crlSignatureOf(issuer.publicKey);
    if (expected === undefined || !algorithm.equals(expected.algorithm)) return false;
    return verify(expected.hash, toBeSigned, issuer.publicKey, signature);
  } catch {
    return false; // a key or signature that OpenSSL does not take
  }
}

function readList(block: Buffer): RevocationList {
  const whole = new DerReader(block);
  const list = whole.enter(TAG.sequence);
  whole.end();
  const toBeSigned = list.element(TAG.sequence);
  const algorithm = list.element(TAG.sequence);
  const bits = list.contents(TAG.bitString);
  list.end();
  if (bits[0] !== 0) throw new DerFault('a signature has whole octets');
  const signed = { toBeSigned, algorithm, signature: bits.subarray(1) };
  return { ...readContents(toBeSigned, algorithm), signed };
}

function readContents(toBeSigned: Buffer, algorithm: Buffer): Omit<RevocationList, 'signed'> {
  const fields = new DerReader(toBeSigned).enter(TAG.sequence);
  if (readInteger(fields, 1) !== 1) throw new DerFault('not version 2');
  if (!fields.element(TAG.sequence).equals(algorithm)) throw new DerFault('two algorithms');
  const issuerDer = fields.element(TAG.sequence);
  const thisUpdateMs = readTime(fields);
  const nextUpdateMs = readTime(fields);
  if (nextUpdateMs <= thisUpdateMs) throw new DerFault('it ends before it begins');
  const entries = fields.tag === TAG.sequence ? readEntries(fields.enter(TAG.sequence)) : new Map();
  const wrapper = fields.enter(EXTENSIONS);
  fields.end();
  const extensions = wrapper.enter(TAG.sequence);
  wrapper.end();
  const keyId = readExtension(extensions, AUTHORITY_KEY).enter(TAG.sequence);
  const keyIdentifier = keyId.contents(KEY_IDENTIFIER);
  keyId.end();
  const number = readInteger(readExtension(extensions, CRL_NUMBER), MAX_NUMBER_OCTETS);
  extensions.end();
  return { issuerDer, keyIdentifier, number, thisUpdateMs, nextUpdateMs, entries };
}

function readEntries(list: DerReader): RevocationList['entries'] {
  const entries = new Map<string, Omit<CrlEntry, 'serialHex'>>();
  while (list.tag !== undefined) {
    const entry = list.enter(TAG.sequence);
    const serialHex = readSerial(entry);
    const revokedAtMs = readTime(entry);
    const extensions = entry.enter(TAG.sequence);
    entry.end();
    const code = readExtension(extensions, REASON_CODE).contents(TAG.enumerated);
    extensions.end();
    const reason = code.length === 1 ? REASON_NAMES.get(code[0] ?? 0) : undefined;
    if (reason === undefined || entries.has(serialHex)) throw new DerFault('no entry of ours');
    entries.set(serialHex, { revokedAtMs, reason });
  }
  if (entries.size === 0) throw new DerFault('an empty list is left out');
  return entries;
}

/** Not critical; the DER of its value. */
function readExtension(extensions: DerReader, type: Buffer): DerReader {
  const extension = extensions.enter(TAG.sequence);
  if (!extension.element(TAG.objectIdentifier).equals(type)) throw new DerFault('another extension');
  const value = new DerReader(extension.contents(TAG.octetString));
  extension.end();
  return value;
}

function readSerial(entry: DerReader): string {
  const octets = positive(entry.contents(TAG.integer));
  if (octets.length > MAX_SERIAL_OCTETS) throw new DerFault('a serial number is too long');
  return octets.subarray(octets[0] === 0 ? 1 : 0).toString('hex');
}

function readInteger(reader: DerReader, mostOctets: number): number {
  const octets = positive(reader.contents(TAG.integer));
  if (octets.length > mostOctets) throw new DerFault('a number is too large');
  const number = Number(BigInt(`0x${octets.toString('hex')}`));
  if (!Number.isSafeInteger(number)) throw new DerFault('a number is too large');
  return number;
}

/** Greater than zero and in the fewest octets, X.690 section 8.3.2. */
function positive(octets: Buffer): Buffer {
  const [first = 0x80, second = 0] = octets;
  if (first >= 0x80 || (first === 0 && second < 0x80)) throw new DerFault('no positive number');
  return octets;
}

/** RFC 5280 section 5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050, whole seconds. */
function readTime(reader: DerReader): number {
  const isUtc = reader.tag === TAG.utcTime;
  const text = reader.contents(isUtc ? TAG.utcTime : TAG.generalizedTime).toString('latin1');
  const [, ...parts] = (isUtc ? UTC_TIME : GENERALIZED_TIME).exec(text) ?? [];
  const [first = Number.NaN, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
  const year = isUtc ? first + (first < CENTURY_TURN ? 2000 : 1900) : first;
  const instantMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  const date = new Date(instantMs);
  const isExact =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hours &&
    date.getUTCMinutes() === minutes &&
    date.getUTCSeconds() === seconds;
  if (!isExact || (!isUtc && year < 2000 + CENTURY_TURN)) throw new DerFault('no time');
  return instantMs;
}
