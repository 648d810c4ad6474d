/** What a stored authority must be before a leaf is verified or signed with it. Its validity is judged elsewhere. */

import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import { AUTHORITY_COMMON_NAME } from './authority.ts';
import {
  type CertificateFields,
  readCertificateFields,
  readSubjectDer,
  readX509,
} from './certificate-fields.ts';
import { decodePem, PEM_LIMIT_BYTES } from './pem.ts';
import { isKeyOf, readPrivateKey } from './private-key.ts';
import { type AuthorityKeySize, OID } from './x509-encoding.ts';

/** The certificate of an authority: leaves are verified with it. Instants in milliseconds since the Unix epoch. */
export interface AuthorityCertificate {
  /**
   * 16 lower-case hexadecimal digits: the serialNumber attribute of our own generations, else the beginning of the
   * certificate's SHA-256.
   */
  readonly id: string;
  readonly certificate: X509Certificate;
  readonly publicKey: KeyObject;
  readonly keyAlgorithm: string;
  /** Bits; 0 when not known. */
  readonly keySize: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly subjectDer: Buffer;
  readonly keyIdentifier: Buffer;
}

/** An authority with its private key: it signs. */
export interface Authority extends AuthorityCertificate {
  readonly privateKey: KeyObject;
  readonly keySize: AuthorityKeySize;
  /** DER of what stands between its leaves and the root: itself first; empty when it is the root. */
  readonly intermediates: readonly Buffer[];
  /** What agents trust. */
  readonly root: X509Certificate;
  /** Somebody gave it; absent: it was made here. */
  readonly isGiven?: true;
}

/** Why an authority is not used; `message` is a sentence without full stop and names no content. */
export interface AuthorityRefusal {
  readonly kind: 'refuse';
  readonly reason:
    | 'CertificateUnreadable'
    | 'NotAnAuthority'
    | 'NotSelfSigned'
    | 'KeyUnreadable'
    | 'KeyMismatch'
    | 'UnsupportedAlgorithm';
  readonly message: string;
}

const ID_FORM = /^[0-9a-f]{16}$/;

/**
 * Reads the certificate of an authority.
 *
 * @param certificatePem One certificate in PEM, at most 36,500 bytes.
 * @returns It, or why it is none of an authority: not readable, not DER, no CA, not allowed to sign certificates,
 *   without subject key identifier, or not signed by itself (an intermediate needs its chain, which is not read).
 *
 * Errors: none.
 *
 * Source: RFC 5280 sections 4.2.1.2, 4.2.1.3, 4.2.1.9.
 */
export function readAuthorityCertificate(
  certificatePem: Uint8Array,
): { readonly kind: 'certificate'; readonly certificate: AuthorityCertificate } | AuthorityRefusal {
  const pem = decodePem(certificatePem, {
    label: 'CERTIFICATE',
    limitBytes: PEM_LIMIT_BYTES.certificate,
    maxBlocks: 1,
  });
  if (pem.kind === 'problem') return refuse('CertificateUnreadable', `the certificate ${pem.problem}`);
  const [block = Buffer.alloc(0)] = pem.blocks;
  const fields = readCertificateFields(block);
  const subjectDer = readSubjectDer(block);
  const certificate = readX509(block);
  if (fields === undefined || subjectDer === undefined || certificate === undefined) {
    return refuse('CertificateUnreadable', 'the certificate was not read');
  }
  if (fields.nameConstraints !== undefined) {
    return refuse('CertificateUnreadable', 'the certificate constrains names');
  }
  const { keyUsages, isAuthority, subjectKeyIdentifier: keyIdentifier } = fields;
  if (!isAuthority || !keyUsages.includes('keyCertSign') || keyIdentifier === undefined) {
    return refuse('NotAnAuthority', 'the certificate is not one of an authority');
  }
  if (!isSelfSigned(certificate)) return refuse('NotSelfSigned', 'the certificate is not signed by itself');
  const { publicKey } = certificate;
  const { keyAlgorithm, keySize, notBeforeMs, notAfterMs } = fields;
  const id = authorityId(fields, block);
  return {
    kind: 'certificate',
    certificate: {
      id,
      certificate,
      publicKey,
      keyAlgorithm,
      keySize,
      notBeforeMs,
      notAfterMs,
      subjectDer,
      keyIdentifier,
    },
  };
}

/**
 * Reads an authority that signs.
 *
 * @param certificatePem As for {@link readAuthorityCertificate}.
 * @param privateKeyPem PKCS#8 in PEM, at most 13,000 bytes.
 * @returns It, or why it is not used: as for {@link readAuthorityCertificate}; neither P-256 nor P-384; not allowed to
 *   sign revocation lists; the key not readable or not that of the certificate.
 *
 * Errors: none.
 */
export function readAuthority({
  certificatePem,
  privateKeyPem,
}: {
  readonly certificatePem: Uint8Array;
  readonly privateKeyPem: Uint8Array;
}): { readonly kind: 'authority'; readonly authority: Authority } | AuthorityRefusal {
  const read = readAuthorityCertificate(certificatePem);
  if (read.kind === 'refuse') return read;
  const { certificate, keyAlgorithm, keySize } = read.certificate;
  if (keyAlgorithm !== 'ECDSA' || (keySize !== 256 && keySize !== 384)) {
    return refuse('UnsupportedAlgorithm', 'the key of an authority must be ECDSA P-256 or P-384');
  }
  if (!readCertificateFields(certificate.raw)?.keyUsages.includes('cRLSign')) {
    return refuse('NotAnAuthority', 'the certificate may not sign revocation lists');
  }
  const privateKey = readPrivateKey(privateKeyPem);
  if (privateKey === undefined) return refuse('KeyUnreadable', 'the private key is not PKCS#8 in PEM');
  if (!isKeyOf(privateKey, certificate)) {
    return refuse('KeyMismatch', 'the private key is not that of the certificate');
  }
  return {
    kind: 'authority',
    authority: { ...read.certificate, privateKey, keySize, intermediates: [], root: certificate },
  };
}

function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
  } catch {
    return false; // a key or an algorithm that OpenSSL does not know
  }
}

function authorityId({ subject }: CertificateFields, certificateDer: Buffer): string {
  const attributes = new Map(subject);
  const own = attributes.get(OID.serialNumber) ?? '';
  if (attributes.get(OID.commonName) === AUTHORITY_COMMON_NAME && ID_FORM.test(own)) return own;
  return createHash('sha256').update(certificateDer).digest('hex').slice(0, 16);
}

function refuse(reason: AuthorityRefusal['reason'], message: string): AuthorityRefusal {
  return { kind: 'refuse', reason, message };
}
