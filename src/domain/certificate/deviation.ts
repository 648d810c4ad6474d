/** In what a leaf differs from what it must say. Used on what is found in a Secret and on what an issuer hands back. */

import type { CertificateFacts } from './facts.ts';
import { BACKDATE_MS, type LeafProfile } from './profile.ts';

/** A leaf's validity is in whole seconds, so both ends may be cut by almost one. */
const ROUNDING_MS = 1_000;

/** What of a leaf can differ from its profile. */
export type Deviation =
  | 'SPIFFE ID'
  | 'DNS names'
  | 'other names'
  | 'subject'
  | 'usages'
  | 'key type'
  | 'life';

type Check = (profile: LeafProfile, leaf: CertificateFacts, authorityNotAfterMs: number) => boolean;

const CHECKS: readonly (readonly [Deviation, Check])[] = [
  ['SPIFFE ID', (profile, leaf) => isSameList([profile.spiffeId], leaf.uris)],
  ['DNS names', (profile, leaf) => isSameList(profile.dnsNames.toSorted(), leaf.dnsNames.toSorted())],
  ['other names', (_profile, leaf) => leaf.otherNameCount === 0],
  ['subject', isSameSubject],
  ['usages', hasSameUsages],
  ['key type', ({ key }, leaf) => key.algorithm === leaf.keyAlgorithm && key.size === leaf.keySize],
  ['life', hasWantedLife],
];

/**
 * Compares a leaf with what it must say.
 *
 * @param authorityNotAfterMs End of the authority that signed the leaf, milliseconds since the Unix epoch: a leaf that
 *   was cut to it is not too short.
 * @returns What differs, in a fixed order; empty when the leaf is as wanted. The order of DNS names does not count. A
 *   duration that grew by less than the two minutes of back-dating shows only at the next renewal.
 */
export function leafDeviations(
  profile: LeafProfile,
  leaf: CertificateFacts,
  authorityNotAfterMs: number,
): readonly Deviation[] {
  return CHECKS.filter(([, isAsWanted]) => !isAsWanted(profile, leaf, authorityNotAfterMs)).map(
    ([name]) => name,
  );
}

function isSameSubject(profile: LeafProfile, leaf: CertificateFacts): boolean {
  return (
    profile.commonName === leaf.commonName &&
    profile.organization === leaf.organization &&
    leaf.otherSubjectAttributeCount === 0
  );
}

function hasSameUsages(profile: LeafProfile, leaf: CertificateFacts): boolean {
  return (
    !leaf.isAuthority &&
    isSameList(['digitalSignature'], leaf.keyUsages) &&
    isSameList(profile.extendedKeyUsages.toSorted(), leaf.extendedKeyUsages.toSorted())
  );
}

/** Back-dating adds up to two minutes; it is less when a restore forbids an earlier notBefore. */
function hasWantedLife(profile: LeafProfile, leaf: CertificateFacts, authorityNotAfterMs: number): boolean {
  const lifeMs = leaf.notAfterMs - leaf.notBeforeMs;
  if (lifeMs > profile.durationMs + BACKDATE_MS + ROUNDING_MS) return false;
  return lifeMs >= profile.durationMs - ROUNDING_MS || leaf.notAfterMs >= authorityNotAfterMs - ROUNDING_MS;
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, at) => item === right[at]);
}
