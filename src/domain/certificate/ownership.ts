/** Whose a Secret is. A Secret of somebody else is never written, whatever it holds. */

import type { SecretFacts, StoredSecretFacts } from './facts.ts';

const MAX_NAME_LENGTH = 253;

/** The identity that claims a Secret. */
export interface SecretClaim {
  readonly identityUid: string;
  readonly profile: { readonly spiffeId: string };
  readonly trustedAuthorities: readonly { readonly id: string }[];
}

/**
 * Whether a Secret belongs to an identity: its annotation or an owner reference names the identity's uid, or it holds a
 * leaf of this identity from one of our authorities (its metadata may have been stripped, or restored from a backup).
 */
export function isOwnSecret(
  { identityUid, profile, trustedAuthorities }: SecretClaim,
  secret: SecretFacts,
): boolean {
  if (secret.ownerUid === identityUid) return true;
  if (secret.ownerReferences.some(({ uid }) => uid === identityUid)) return true;
  const { certificate } = secret.content;
  return (
    certificate.kind === 'certificate' &&
    certificate.uris.includes(profile.spiffeId) &&
    trustedAuthorities.some(({ id }) => id === certificate.authorityId)
  );
}

/** Says whose the Secret is, as far as it tells, and what to do; two sentences without the last full stop. */
export function conflictMessage(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  secret: SecretFacts,
): string {
  return `Secret ${namespace}/${name} exists and ${describeOwner(secret)}. Set spec.certificate.secretName to another name, or delete what owns it`;
}

/** Whose it is; continues the sentence "Secret ... exists and". */
export function describeOwner({ annotations, ownerReferences, ownerUid }: StoredSecretFacts): string {
  const issuedFor = annotations['cert-manager.io/certificate-name'];
  if (issuedFor !== undefined) return `belongs to Certificate/${shorten(issuedFor)} (cert-manager)`;
  const [owner] = ownerReferences;
  if (owner !== undefined) return `belongs to ${shorten(owner.kind)}/${shorten(owner.name)}`;
  return ownerUid === undefined ? 'is not of this identity' : 'belongs to another AgentIdentity';
}

/** Whoever may write the Secret decides how long these are. */
function shorten(text: string): string {
  return text.slice(0, MAX_NAME_LENGTH);
}
