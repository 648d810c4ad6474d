/** The projection of a Secret, read as one with signing keys. */

import type { SigningSecretFacts } from '../../domain/signing/facts.ts';
import type { HeldKey } from '../../domain/signing/keys.ts';
import { isOwnSigningSecret } from '../../domain/signing/secret-plan.ts';
import type { SecretRecord } from '../identity/secret-record.ts';

const NO_KEYS: SigningSecretFacts['signing'] = { identityUid: undefined, keys: [], altered: [] };

/** What is known of it; one that holds nothing of the kind has no keys. */
export function signingFacts({ facts, signing = NO_KEYS }: SecretRecord): SigningSecretFacts {
  const { content: _, ...stored } = facts;
  return { ...stored, signing };
}

/** The keys in it, if it is the identity's; none that were made for another. */
export function keysOf(record: SecretRecord, identityUid: string): readonly HeldKey[] {
  const facts = signingFacts(record);
  const madeFor = facts.signing.identityUid ?? identityUid;
  return madeFor === identityUid && isOwnSigningSecret(identityUid, facts) ? facts.signing.keys : [];
}
