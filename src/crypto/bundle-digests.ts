/** Which certificates a trust bundle holds, told apart without keeping them. */

import { hash } from 'node:crypto';
import { decodePem, PEM_LIMIT_BYTES } from './pem.ts';

const BUNDLE_FORM = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.bundle, maxBlocks: 64 } as const;

/**
 * SHA-256 of each certificate of a bundle, in its order.
 *
 * @param pem As found in a Secret.
 * @returns Lower-case hexadecimal; none when there is anything else in it, or nothing at all.
 */
export function bundleDigests(pem: Uint8Array): readonly string[] {
  const read = decodePem(pem, BUNDLE_FORM);
  return read.kind === 'blocks' ? read.blocks.map((der) => hash('sha256', der, 'hex')) : [];
}
