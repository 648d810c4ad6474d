/** What a Secret holds right after a leaf was issued into it: known, so that it need not be read again. */

import type { SecretContent } from '../domain/certificate/facts.ts';
import type { LeafProfile } from '../domain/certificate/profile.ts';
import type { IssuedLeaf } from './leaf.ts';

/** What was issued, and by whom. */
export interface Issuance {
  readonly profile: LeafProfile;
  readonly leaf: IssuedLeaf;
  readonly authorityId: string;
  /** SHA-256 of `ca.crt`, lower-case hexadecimal. */
  readonly trustBundleSha256: string;
}

/** The same facts that `inspectSecret` finds in the data, a few hundred microseconds sooner. */
export function issuedContent({ profile, leaf, authorityId, trustBundleSha256 }: Issuance): SecretContent {
  return {
    certificate: {
      kind: 'certificate',
      serialHex: leaf.serialHex,
      notBeforeMs: leaf.notBeforeMs,
      notAfterMs: leaf.notAfterMs,
      uris: [profile.spiffeId],
      dnsNames: profile.dnsNames,
      otherNameCount: 0,
      commonName: profile.commonName,
      organization: profile.organization,
      otherSubjectAttributeCount: 0,
      isAuthority: false,
      keyUsages: ['digitalSignature'],
      extendedKeyUsages: profile.extendedKeyUsages,
      keyAlgorithm: profile.key.algorithm,
      keySize: profile.key.size,
      authorityId,
      chainLength: 1 + (leaf.intermediateCount ?? 0),
      ...(leaf.intermediateCount === undefined ? {} : { intermediateCount: leaf.intermediateCount }),
    },
    privateKey: { kind: 'readable' },
    keyMatches: true,
    trustBundleSha256,
    combinedMatches: true,
  };
}
