/** The CAs of an issuer of cert-manager, from PEM. */

import { createHash } from 'node:crypto';
import { type AuthorityCertificate, readAuthorityCertificate } from './authority-reader.ts';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from './pem.ts';

/** An issuer has so many CAs at most: one, and its successor for a while; the rest is room. */
const MAX_CERTIFICATES = 8;

/** The CAs, or why the text is none of any; `message` continues a sentence and names no content. */
export type IssuerCertificates =
  | { readonly kind: 'certificates'; readonly certificates: readonly AuthorityCertificate[] }
  | { readonly kind: 'refuse'; readonly message: string };

/**
 * Reads them.
 *
 * @param pem One to eight self-signed certificates that may sign certificates.
 * @returns All of them, or the first thing that is wrong. One that bears the name of the built-in authority is refused, since
 *   its leaves could be taken for those of that authority.
 *
 * Errors: none.
 */
export function readIssuerCertificates(pem: Uint8Array): IssuerCertificates {
  const read = decodePem(pem, {
    label: 'CERTIFICATE',
    limitBytes: PEM_LIMIT_BYTES.bundle,
    maxBlocks: MAX_CERTIFICATES,
  });
  if (read.kind === 'problem') return { kind: 'refuse', message: read.problem };
  const certificates: AuthorityCertificate[] = [];
  for (const block of read.blocks) {
    const one = readIssuerCertificate(block);
    if (one.kind === 'refuse') return one;
    certificates.push(one.certificate);
  }
  return { kind: 'certificates', certificates };
}

/** The same for one certificate in DER. */
export function readIssuerCertificate(
  block: Buffer,
):
  | { readonly kind: 'certificate'; readonly certificate: AuthorityCertificate }
  | Extract<IssuerCertificates, { kind: 'refuse' }> {
  const one = readAuthorityCertificate(Buffer.from(encodePem('CERTIFICATE', block)));
  if (one.kind === 'refuse') return { kind: 'refuse', message: `was refused: ${one.message}` };
  const digest = createHash('sha256').update(block).digest('hex');
  return digest.startsWith(one.certificate.id)
    ? one
    : { kind: 'refuse', message: 'was refused: it bears the name of the built-in authority' };
}
