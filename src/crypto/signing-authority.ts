/** Which of the trusted authorities signed a leaf. */

import type { X509Certificate } from 'node:crypto';
import type { AuthorityCertificate } from './authority-reader.ts';
import { readX509 } from './certificate-fields.ts';
import { decodePem, PEM_LIMIT_BYTES } from './pem.ts';

/** What is needed of a trusted authority. */
export type VerifyingAuthority = Pick<AuthorityCertificate, 'id' | 'certificate' | 'publicKey'>;

const CHAIN_FORM = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.chain, maxBlocks: 10 } as const;

/**
 * The authority whose name, key identifier and signature a leaf carries; whether the leaf is valid now does not matter.
 *
 * @returns Its id, or `undefined` when none of them signed it or there is no certificate to read.
 */
export function signingAuthorityId(
  certificatePem: Uint8Array,
  authorities: readonly VerifyingAuthority[],
): string | undefined {
  const pem = decodePem(certificatePem, CHAIN_FORM);
  const certificate =
    pem.kind === 'blocks' && pem.blocks[0] !== undefined ? readX509(pem.blocks[0]) : undefined;
  return certificate === undefined ? undefined : authorityOf(certificate, authorities);
}

/** The same for a certificate that is read already. */
export function authorityOf(
  certificate: X509Certificate,
  authorities: readonly VerifyingAuthority[],
): string | undefined {
  return authorities.find((authority) => isSignedBy(certificate, authority))?.id;
}

function isSignedBy(certificate: X509Certificate, authority: VerifyingAuthority): boolean {
  try {
    return certificate.checkIssued(authority.certificate) && certificate.verify(authority.publicKey);
  } catch {
    return false; // an algorithm that OpenSSL does not know
  }
}
