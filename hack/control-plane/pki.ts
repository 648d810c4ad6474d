/** A throw-away certificate authority for a test cluster: P-256 keys, X.509 v3 (RFC 5280), nothing but this machine. */

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import forge from 'node-forge';

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

/** A certificate and its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Whom a certificate names, and what it is for. */
interface CertificateRequest {
  readonly commonName: string;
  /** Organizations of the subject; Kubernetes reads them as groups. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** IPv4 addresses in dotted form. */
  readonly ipAddresses?: readonly string[];
  readonly usage: 'server' | 'client';
}

/** A root that issues. */
export interface Authority {
  /** The root, PEM. */
  readonly certificate: string;
  issue(request: CertificateRequest): KeyPair;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_MS = 365 * DAY_MS;
/** Clusters are mostly older than the error of a clock: whoever is a day behind still connects. */
const BACKDATE_MS = 3 * DAY_MS;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const ORGANIZATION = '2.5.4.10';
const COMMON_NAME = '2.5.4.3';
const USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Makes a root that is valid for a year from three days ago on, as is everything it issues. */
export function createAuthority(commonName: string): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name: subject(commonName, []), key: root.privateKey, keyId: keyId(root.publicKey) };
  const rootExtensions = [
    extension('2.5.29.19', sequence([primitive(asn1.Type.BOOLEAN, '\xff')]), 'critical'),
    extension('2.5.29.15', primitive(asn1.Type.BITSTRING, '\x01\x06'), 'critical'), // keyCertSign, cRLSign
    extension('2.5.29.14', primitive(asn1.Type.OCTETSTRING, issuer.keyId)),
  ];
  return {
    certificate: certificate(issuer, {
      subject: issuer.name,
      key: root.publicKey,
      extensions: rootExtensions,
    }),
    issue(request) {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const name = subject(request.commonName, request.organizations ?? []);
      return {
        certificate: certificate(issuer, {
          subject: name,
          key: leaf.publicKey,
          extensions: leafExtensions(request, issuer.keyId),
        }),
        privateKey: pem(leaf.privateKey),
      };
    },
  };
}

/** A key pair without a certificate, PEM: what service account tokens are signed and verified with. */
export function createSigningKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: pem(privateKey),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

interface Issuer {
  readonly name: Asn1;
  readonly key: KeyObject;
  readonly keyId: string;
}

interface Subject {
  readonly subject: Asn1;
  readonly key: KeyObject;
  readonly extensions: readonly Asn1[];
}

/** Certificate of RFC 5280, section 4.1, PEM. */
function certificate(issuer: Issuer, { subject, key, extensions }: Subject): string {
  const algorithm = sequence([oid(ECDSA_WITH_SHA256)]);
  const nowMs = Date.now();
  const toBeSigned = sequence([
    context(0, [primitive(asn1.Type.INTEGER, '\x02')]),
    primitive(asn1.Type.INTEGER, `\x01${randomBytes(15).toString('latin1')}`),
    algorithm,
    issuer.name,
    sequence([utcTime(nowMs - BACKDATE_MS), utcTime(nowMs - BACKDATE_MS + VALID_MS)]),
    subject,
    asn1.fromDer(spki(key)),
    context(3, [sequence(extensions)]),
  ]);
  const der = Buffer.from(asn1.toDer(toBeSigned).getBytes(), 'latin1');
  const signature = sign('sha256', der, issuer.key).toString('latin1');
  const whole = sequence([toBeSigned, algorithm, primitive(asn1.Type.BITSTRING, `\0${signature}`)]);
  const base64 = Buffer.from(asn1.toDer(whole).getBytes(), 'latin1').toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function leafExtensions(request: CertificateRequest, authorityKeyId: string): Asn1[] {
  const names = [
    ...(request.dnsNames ?? []).map((name) => contextPrimitive(2, name)),
    ...(request.ipAddresses ?? []).map((address) =>
      contextPrimitive(7, String.fromCharCode(...address.split('.').map(Number))),
    ),
  ];
  return [
    extension('2.5.29.19', sequence([]), 'critical'),
    extension('2.5.29.15', primitive(asn1.Type.BITSTRING, '\x07\x80'), 'critical'), // digitalSignature
    extension('2.5.29.37', sequence([oid(USAGE[request.usage])])),
    extension('2.5.29.35', sequence([contextPrimitive(0, authorityKeyId)])),
    ...(names.length > 0 ? [extension('2.5.29.17', sequence(names))] : []),
  ];
}

function subject(commonName: string, organizations: readonly string[]): Asn1 {
  const attribute = (type: string, value: string): Asn1 =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [
      sequence([oid(type), primitive(asn1.Type.UTF8, Buffer.from(value).toString('latin1'))]),
    ]);
  return sequence([
    ...organizations.map((name) => attribute(ORGANIZATION, name)),
    attribute(COMMON_NAME, commonName),
  ]);
}

function extension(id: string, value: Asn1, critical?: 'critical'): Asn1 {
  const flag = critical === undefined ? [] : [primitive(asn1.Type.BOOLEAN, '\xff')];
  return sequence([oid(id), ...flag, primitive(asn1.Type.OCTETSTRING, asn1.toDer(value).getBytes())]);
}

function keyId(key: KeyObject): string {
  return createHash('sha1').update(spki(key), 'latin1').digest().toString('latin1');
}

function spki(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('latin1');
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function sequence(items: readonly Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [...items]);
}

function primitive(type: forge.asn1.Type, bytes: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, bytes);
}

function context(tag: number, items: readonly Asn1[]): Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, [...items]);
}

function contextPrimitive(tag: number, bytes: string): Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, bytes);
}

function oid(id: string): Asn1 {
  return primitive(asn1.Type.OID, asn1.oidToDer(id).getBytes());
}

function utcTime(atMs: number): Asn1 {
  return primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(new Date(atMs)) as unknown as string);
}
