/**
 * The certificate that our webhook shows to the API server: its own root, good for nothing but to be a server under its
 * names. The API server trusts exactly the certificates in a webhook's `caBundle`, so no authority is needed above it.
 */

import { createHash } from 'node:crypto';
import { BACKDATE_MS } from '../domain/certificate/profile.ts';
import type { ServedCertificate } from '../domain/serving/facts.ts';
import { readCertificateFields, readX509 } from './certificate-fields.ts';
import { contextTag, der, objectIdentifier, TAG } from './der.ts';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from './pem.ts';
import { inspectPrivateKey } from './private-key.ts';
import { createSelfSigned, type SelfSigned } from './self-signed.ts';
import { distinguishedName, extension, OID } from './x509-encoding.ts';

const DIGITAL_SIGNATURE = der(TAG.bitString, Buffer.of(7, 0x80));
const SERVER_AUTH = der(TAG.sequence, objectIdentifier(OID.serverAuth));
// cA is FALSE by default, and DER leaves defaults out: an empty sequence.
const NOT_AN_AUTHORITY = der(TAG.sequence);
const DNS_NAME = contextTag(2, 'primitive');
/** Those in use, being renewed and being retired, and some that others put there. */
const MAX_TRUSTED = 16;

/** What a new one is to be. */
export interface ServingRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Life from now, milliseconds. */
  readonly lifeMs: number;
}

/**
 * Makes a key on P-256 and its certificate, valid from two minutes ago: the API server's clock may be behind.
 *
 * @throws Whatever OpenSSL reports.
 *
 * Source: RFC 5280 sections 4.1 and 4.2.
 */
export function createServingCertificate(request: ServingRequest): SelfSigned {
  const { commonName, dnsNames, nowMs, lifeMs } = request;
  const notBeforeMs = Math.floor(nowMs / 1000) * 1000 - BACKDATE_MS;
  const notAfterMs = Math.floor((nowMs + lifeMs) / 1000) * 1000;
  const names = dnsNames.map((name) => der(DNS_NAME, Buffer.from(name, 'latin1')));
  return createSelfSigned({
    subject: distinguishedName([[OID.commonName, commonName]]),
    validity: { notBeforeMs, notAfterMs },
    keySize: 256,
    extensions: [
      extension(OID.keyUsage, DIGITAL_SIGNATURE, 'critical'),
      extension(OID.extendedKeyUsage, SERVER_AUTH),
      extension(OID.basicConstraints, NOT_AN_AUTHORITY, 'critical'),
      extension(OID.subjectAltName, der(TAG.sequence, ...names)),
    ],
  });
}

/**
 * Reads a serving certificate with its key.
 *
 * @param certificatePem One certificate in PEM, at most 36,500 bytes.
 * @param privateKeyPem PKCS#8 in PEM, at most 13,000 bytes.
 * @returns What it says, or `undefined` when either cannot be read, the key is another one, or a TLS server may not use
 *   it. Whether it is valid now does not matter here.
 *
 * Errors: none.
 */
export function readServingPair(
  certificatePem: Uint8Array,
  privateKeyPem: Uint8Array,
): ServedCertificate | undefined {
  const pem = decodePem(certificatePem, {
    label: 'CERTIFICATE',
    limitBytes: PEM_LIMIT_BYTES.certificate,
    maxBlocks: 1,
  });
  if (pem.kind === 'problem') return undefined;
  const [block = Buffer.alloc(0)] = pem.blocks;
  const fields = readCertificateFields(block);
  const certificate = readX509(block);
  if (fields === undefined || certificate === undefined) return undefined;
  const key = inspectPrivateKey(privateKeyPem, { certificate, fields });
  const mayServe = fields.extendedKeyUsages.length === 0 || fields.extendedKeyUsages.includes('serverAuth');
  return key.kind === 'readable' && key.matches && mayServe ? servedCertificate(block, fields) : undefined;
}

/**
 * Reads a bundle of certificates.
 *
 * @param bundlePem At most 16 certificates in PEM.
 * @returns Each once, in order; empty when the text cannot be read.
 *
 * Errors: none.
 */
export function readTrusted(bundlePem: Uint8Array): readonly ServedCertificate[] {
  const pem = decodePem(bundlePem, {
    label: 'CERTIFICATE',
    limitBytes: PEM_LIMIT_BYTES.bundle,
    maxBlocks: MAX_TRUSTED,
  });
  if (pem.kind === 'problem') return [];
  const found = new Map<string, ServedCertificate>();
  for (const block of pem.blocks) {
    const fields = readCertificateFields(block);
    if (fields === undefined) return [];
    const certificate = servedCertificate(block, fields);
    found.set(certificate.fingerprint, certificate);
  }
  return [...found.values()];
}

function servedCertificate(
  certificateDer: Buffer,
  { notBeforeMs, notAfterMs, dnsNames }: Pick<ServedCertificate, 'notBeforeMs' | 'notAfterMs' | 'dnsNames'>,
): ServedCertificate {
  const fingerprint = createHash('sha256').update(certificateDer).digest('hex');
  const certificatePem = encodePem('CERTIFICATE', certificateDer);
  return { fingerprint, certificatePem, notBeforeMs, notAfterMs, dnsNames };
}
