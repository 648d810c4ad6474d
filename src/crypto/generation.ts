/** Reading a generation of the authority as it is stored: one that we made, or one that was given and judged then. */

import { type Authority, type AuthorityRefusal, readAuthority } from './authority-reader.ts';
import { readGivenAuthority } from './given-authority.ts';

/** What is stored. */
export interface StoredGeneration {
  /** The certificate that signs, then everything up to its root. */
  readonly certificatePem: Uint8Array;
  readonly privateKeyPem: Uint8Array;
}

/** Reads it. What can be read as neither is said as for one of ours. Errors: none. */
export function readGeneration(
  stored: StoredGeneration,
): { readonly kind: 'authority'; readonly authority: Authority } | AuthorityRefusal {
  const given = readGivenAuthority({ ...stored, rootsPem: undefined });
  return given.kind === 'authority' ? given : readAuthority(stored);
}
