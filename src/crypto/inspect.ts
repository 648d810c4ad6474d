/**
 * Finds out what a Secret holds: from its bytes to the facts a certificate is planned with. Whoever may write Secrets
 * decides what those bytes are, so sizes are looked at first, nothing throws, and no byte of a key is kept.
 */

import { hash, type X509Certificate } from 'node:crypto';
import {
  type CertificateFacts,
  type CertificateProblem,
  SECRET_KEYS,
  type SecretContent,
} from '../domain/certificate/facts.ts';
import { type CertificateFields, readCertificateFields, readX509 } from './certificate-fields.ts';
import { CHAIN_FORM, decodePem, PEM_LIMIT_BYTES } from './pem.ts';
import { inspectPrivateKey } from './private-key.ts';
import { type ChainEnd, chainEnd, type VerifyingAuthority } from './signing-authority.ts';
import { OID } from './x509-encoding.ts';

/** Data of a Secret, decoded from base64. Other keys may be there and are not looked at. */
export type SecretData = Readonly<Record<string, Buffer | undefined>>;

interface Leaf {
  readonly kind: 'leaf';
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
  /** DER of what follows it. */
  readonly rest: readonly Buffer[];
}

const MISSING: CertificateProblem = { kind: 'problem', problem: 'was missing' };

/**
 * Reads the data of a Secret.
 *
 * @param data Any of the four keys may be missing, garbage, or huge.
 * @param authorities Those trusted for this identity. A leaf counts as signed by one of them when its issuer, its key
 *   identifier and its signature say so, or those of the certificates behind it; whether it is valid now does not matter
 *   here.
 * @returns Facts. `tls.crt` counts as a certificate when its first block is one of version 3 without critical extensions
 *   that are not known here; `keyMatches` means that the private key signed and the certificate verified.
 *
 * Errors: none.
 */
export function inspectSecret(data: SecretData, authorities: readonly VerifyingAuthority[]): SecretContent {
  const certificatePem = data[SECRET_KEYS.certificate];
  const privateKeyPem = data[SECRET_KEYS.privateKey];
  const leaf = readLeaf(certificatePem);
  const holder = leaf.kind === 'leaf' ? leaf : undefined;
  const key = privateKeyPem === undefined ? MISSING : inspectPrivateKey(privateKeyPem, holder);
  return {
    certificate: leaf.kind === 'leaf' ? certificateFacts(leaf, authorities) : leaf,
    privateKey: key.kind === 'readable' ? { kind: 'readable' } : key,
    keyMatches: key.kind === 'readable' && key.matches,
    trustBundleSha256: sha256(data[SECRET_KEYS.trustBundle]),
    combinedMatches: isConcatenation(data[SECRET_KEYS.combined], privateKeyPem, certificatePem),
  };
}

function readLeaf(certificatePem: Buffer | undefined): Leaf | CertificateProblem {
  if (certificatePem === undefined) return MISSING;
  const pem = decodePem(certificatePem, CHAIN_FORM);
  if (pem.kind === 'problem') return pem;
  const [block = Buffer.alloc(0), ...rest] = pem.blocks;
  const fields = readCertificateFields(block);
  const certificate = readX509(block);
  if (fields === undefined || certificate === undefined)
    return { kind: 'problem', problem: 'was not a certificate' };
  return { kind: 'leaf', certificate, fields, rest };
}

function certificateFacts(
  { certificate, fields, rest }: Leaf,
  authorities: readonly VerifyingAuthority[],
): CertificateFacts {
  return leafFacts(fields, chainEnd(certificate, rest, authorities), 1 + rest.length);
}

/** What a leaf says, whoever signed it; `end` is undefined when nobody did who is trusted. */
export function leafFacts(
  fields: CertificateFields,
  end: ChainEnd | undefined,
  chainLength: number,
): CertificateFacts {
  const { subjectKeyIdentifier, publicKeyBits, subject, pathLength, ...kept } = fields;
  const names = new Map(subject);
  const commonName = names.get(OID.commonName);
  const organization = names.get(OID.organization);
  const known = [commonName, organization].filter((name) => name !== undefined).length;
  return {
    ...kept,
    kind: 'certificate',
    commonName,
    organization,
    otherSubjectAttributeCount: subject.length - known,
    authorityId: undefined,
    ...end,
    chainLength,
  };
}

function sha256(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined || bytes.length > PEM_LIMIT_BYTES.bundle
    ? undefined
    : hash('sha256', bytes, 'hex');
}

function isConcatenation(
  whole: Buffer | undefined,
  first: Buffer | undefined,
  second: Buffer | undefined,
): boolean {
  if (whole === undefined || first === undefined || second === undefined) return false;
  return (
    whole.length === first.length + second.length &&
    whole.subarray(0, first.length).equals(first) &&
    whole.subarray(first.length).equals(second)
  );
}
