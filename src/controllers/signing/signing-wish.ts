/** From an AgentIdentity to what its signing Secret must be. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { ANNOTATION_REFUSE_KEYS_BEFORE } from '../../api/group.ts';
import type { ResolvedIdentity } from '../../domain/identity/resolve.ts';
import type { SigningSecretWish } from '../../domain/signing/secret-plan.ts';
import { instantOf, secretFrame } from '../identity/wish.ts';

/** What the wish is made of. */
export interface SigningWishInput {
  readonly identity: AgentIdentity;
  readonly resolved: Pick<ResolvedIdentity, 'signing'>;
  /** When the keys of the identity were last taken away; older ones are not accepted again. */
  readonly wipedAtMs: number | undefined;
}

/** Decides what it must be. */
export function signingWish({ identity, resolved, wipedAtMs }: SigningWishInput): SigningSecretWish {
  const { signing } = resolved;
  const asked = instantOf(identity.metadata.annotations?.[ANNOTATION_REFUSE_KEYS_BEFORE]);
  return {
    identityUid: identity.metadata.uid,
    secret: secretFrame(identity, signing.secretName),
    algorithm: signing.algorithm,
    rotationSeconds: signing.rotationIntervalMs / 1000,
    refuseBeforeMs: [asked, wipedAtMs].filter((instant) => instant !== undefined),
  };
}
