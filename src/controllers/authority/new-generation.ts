/** Making a generation of our own. */

import { createAuthority } from '../../crypto/authority.ts';
import { type Authority, readAuthority } from '../../crypto/authority-reader.ts';
import type { AuthoritySettings } from '../../domain/authority/periods.ts';

/** What it is made with. */
export interface NewGeneration extends Pick<AuthoritySettings, 'keySize'> {
  readonly trustDomain: string;
  readonly nowMs: number;
  /** Milliseconds. */
  readonly lifeMs: number;
}

/** Makes one, and reads it as every later leader will. */
export function newGeneration(wanted: NewGeneration): Authority {
  const created = createAuthority(wanted);
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new TypeError(`a new generation cannot be used: ${read.message}`);
  return read.authority;
}
