/** Files that a pod mounts, and which generations of the authority they speak of. */

import { X509Certificate } from 'node:crypto';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { AuthorityProbe } from '../authority.ts';

/** What is mounted of a Secret. */
export interface LeafFiles {
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
  readonly 'ca.crt': string;
  /** Generation that has signed tls.crt. */
  readonly signedBy: string;
  /** Generations in ca.crt. */
  readonly carries: readonly string[];
}

/** What is mounted of a bundle. */
export type BundleFiles = Pick<LeafFiles, 'ca.crt' | 'carries'>;

/** Reads a Secret; what it does not hold is empty. */
export function leafFiles({ data = {} }: Secret): LeafFiles {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const certificate = text('tls.crt');
  const signedBy =
    certificate === ''
      ? ''
      : (/serialNumber=([0-9a-f]{16})/.exec(new X509Certificate(certificate).issuer)?.[1] ?? '');
  return { 'tls.crt': certificate, 'tls.key': text('tls.key'), signedBy, ...caFiles(text('ca.crt')) };
}

/** Reads a ca.crt. */
export function caFiles(pem: string): BundleFiles {
  return { 'ca.crt': pem, carries: AuthorityProbe.idsIn(pem) };
}
