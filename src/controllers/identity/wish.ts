/** From an AgentIdentity to what its Secret must be. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import {
  AGENT_IDENTITY,
  ANNOTATION_OWNER_UID,
  ANNOTATION_RENEW_BEFORE,
  GROUP,
  LABEL_AGENT,
  LABEL_MANAGED,
  VERSION,
} from '../../api/group.ts';
import type { OwnerReferenceFacts } from '../../domain/certificate/facts.ts';
import type { CertificateWish } from '../../domain/certificate/plan.ts';
import { leafProfile, type TrustSettings } from '../../domain/certificate/profile.ts';
import type { ResolvedIdentity } from '../../domain/identity/resolve.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';

/** What the wish is made of. */
export interface WishInput {
  readonly identity: AgentIdentity;
  readonly resolved: ResolvedIdentity;
  readonly authority: ReadyAuthority;
  readonly settings: TrustSettings;
  /** When this process last wrote a leaf for it, milliseconds since the Unix epoch. */
  readonly lastIssuedAtMs: number | undefined;
  /** When its key was last taken away; older leaves are not accepted again. */
  readonly refuseLeafsBeforeMs: number | undefined;
}

/** The wish, or the sentence that says which value cannot be served. */
export type WishResult =
  | { readonly kind: 'wish'; readonly wish: CertificateWish }
  | { readonly kind: 'invalid'; readonly message: string };

/** Decides what the Secret of an identity must be. */
export function certificateWish(input: WishInput): WishResult {
  const { identity, resolved, authority, settings, lastIssuedAtMs, refuseLeafsBeforeMs } = input;
  const { name, namespace, uid } = identity.metadata;
  const result = leafProfile({ name, namespace, extraDnsNames: [], ...resolved }, settings);
  if (result.kind === 'refuse') return { kind: 'invalid', message: result.message };
  return {
    kind: 'wish',
    wish: {
      identityUid: uid,
      profile: result.profile,
      renewBeforeMs: resolved.renewBeforeMs,
      refuseLeafsBeforeMs,
      renewLeafsBeforeMs: renewBeforeInstantMs(identity),
      lastIssuedAtMs,
      signingAuthority: authority.signing,
      trustedAuthorities: authority.trusted,
      secret: {
        namespace,
        name: resolved.secretName,
        trustBundleSha256: authority.bundleSha256,
        labels: { ...resolved.secretLabels, [LABEL_MANAGED]: 'true', [LABEL_AGENT]: name },
        annotations: { ...resolved.secretAnnotations, [ANNOTATION_OWNER_UID]: uid },
        ownerReference: ownerReference(name, uid),
      },
    },
  };
}

function ownerReference(name: string, uid: string): OwnerReferenceFacts {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: AGENT_IDENTITY.kind, name, uid };
}

/** The annotation `renew-before`; text that is no date asks for nothing. */
function renewBeforeInstantMs({ metadata }: AgentIdentity): number | undefined {
  const instantMs = Date.parse(metadata.annotations?.[ANNOTATION_RENEW_BEFORE] ?? '');
  return Number.isNaN(instantMs) ? undefined : instantMs;
}
