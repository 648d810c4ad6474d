/** Which of the trusted authorities signed a leaf, itself or through the certificates that stand behind the leaf. */

import type { X509Certificate } from 'node:crypto';
import type { AuthorityCertificate } from './authority-reader.ts';
import { readX509 } from './certificate-fields.ts';
import { CHAIN_FORM, decodePem } from './pem.ts';

/** What is needed of a trusted authority. */
export interface VerifyingAuthority extends Pick<AuthorityCertificate, 'id' | 'certificate'> {
  /** DER of what must stand behind its leaves, so that a root is reached; absent when it is one. */
  readonly intermediates?: readonly Buffer[];
}

/** Which authority ends a chain. */
export interface ChainEnd {
  readonly authorityId: string;
  /** How many certificates behind the leaf are needed to reach a root, absent if none; more may follow. */
  readonly intermediateCount?: number;
  /** What must stand behind the leaves of this authority does not, and is not counted. */
  readonly lacksIntermediates?: true;
}

/**
 * The authority whose name, key identifier and signature a leaf carries; whether the leaf is valid now does not matter.
 *
 * @returns It, or `undefined` when none of them signed the chain or there is no certificate to read.
 */
export function signingAuthority(
  certificatePem: Uint8Array,
  authorities: readonly VerifyingAuthority[],
): ChainEnd | undefined {
  const pem = decodePem(certificatePem, CHAIN_FORM);
  const [first, ...rest] = pem.kind === 'blocks' ? pem.blocks : [];
  const leaf = first && readX509(first);
  return leaf && chainEnd(leaf, rest, authorities);
}

/**
 * The same for a leaf that is read already.
 *
 * @param rest DER of what follows the leaf, each signed by the next.
 */
export function chainEnd(
  leaf: X509Certificate,
  rest: readonly Buffer[],
  authorities: readonly VerifyingAuthority[],
): ChainEnd | undefined {
  let certificate = leaf;
  for (let intermediateCount = 0; ; intermediateCount++) {
    const authority = authorities.find((each) => isIssuedBy(certificate, each.certificate));
    if (authority !== undefined) return endAt(authority, rest, intermediateCount);
    const block = rest[intermediateCount];
    const next = block && readX509(block);
    if (next === undefined || !next.ca || !isIssuedBy(certificate, next)) return undefined;
    certificate = next;
  }
}

function endAt(
  { id: authorityId, intermediates = [] }: VerifyingAuthority,
  rest: readonly Buffer[],
  count: number,
): ChainEnd {
  const isWhole = intermediates.every((der, at) => rest[count + at]?.equals(der) === true);
  const needed = isWhole ? count + intermediates.length : count;
  return {
    authorityId,
    ...(needed === 0 ? {} : { intermediateCount: needed }),
    ...(isWhole ? {} : { lacksIntermediates: true }),
  };
}

/** Whether a certificate carries the name, the key identifier and the signature of another. Errors: none. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // an algorithm that OpenSSL does not know
  }
}
