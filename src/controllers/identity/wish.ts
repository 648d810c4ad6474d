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
import type { CertificateWish, RejectedLeaf } from '../../domain/certificate/plan.ts';
import { leafProfile, type TrustSettings } from '../../domain/certificate/profile.ts';
import type { SecretFrame } from '../../domain/certificate/secret-frame.ts';
import {
  type SecretTemplate,
  TEMPLATE_ANNOTATION,
  templateRecord,
} from '../../domain/certificate/secret-template.ts';
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
  /** The leaf of its Secret, if it is not to be used any more. */
  readonly rejectedLeaf: RejectedLeaf | undefined;
}

/** The wish, or the sentence that says which value cannot be served. */
export type WishResult =
  | { readonly kind: 'wish'; readonly wish: CertificateWish }
  | { readonly kind: 'invalid'; readonly message: string };

/** Decides what the Secret of an identity must be. */
export function certificateWish(input: WishInput): WishResult {
  const { identity, resolved, authority, settings, lastIssuedAtMs, refuseLeafsBeforeMs, rejectedLeaf } =
    input;
  const { name, namespace, uid } = identity.metadata;
  const result = leafProfile({ name, namespace, ...resolved }, settings);
  if (result.kind === 'refuse') return { kind: 'invalid', message: result.message };
  return {
    kind: 'wish',
    wish: {
      identityUid: uid,
      profile: result.profile,
      renewBeforeMs: resolved.renewBeforeMs,
      refuseLeafsBeforeMs,
      rejectedLeaf,
      renewLeafsBeforeMs: renewBeforeInstantMs(identity),
      lastIssuedAtMs,
      signingAuthority: authority.signing,
      trustedAuthorities: authority.trusted,
      secret: {
        ...secretFrame(identity, resolved.secretName, templateOf(resolved)),
        trustBundleSha256: authority.bundleSha256,
      },
    },
  };
}

/** Labels and annotations that people want on the Secret. */
export function templateOf({
  secretLabels: labels,
  secretAnnotations: annotations,
}: ResolvedIdentity): SecretTemplate {
  return { labels, annotations };
}

/** What a Secret of an identity must be around its content; `own` are labels and annotations that people want on it. */
export function secretFrame(
  { metadata: { namespace, name: agent, uid } }: AgentIdentity,
  name: string,
  own: SecretTemplate = { labels: {}, annotations: {} },
): SecretFrame {
  const record = templateRecord(own);
  return {
    namespace,
    name,
    labels: { ...own.labels, [LABEL_MANAGED]: 'true', [LABEL_AGENT]: agent },
    annotations: {
      ...own.annotations,
      [ANNOTATION_OWNER_UID]: uid,
      ...(record === undefined ? {} : { [TEMPLATE_ANNOTATION]: record }),
    },
    ownerReference: {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: AGENT_IDENTITY.kind,
      name: agent,
      uid,
    },
  };
}

/** The annotation `renew-before`; text that is no date asks for nothing. */
function renewBeforeInstantMs({ metadata }: AgentIdentity): number | undefined {
  return instantOf(metadata.annotations?.[ANNOTATION_RENEW_BEFORE]);
}

/** The instant that an annotation names, milliseconds since the Unix epoch; undefined for text that is no date. */
export function instantOf(text: string | undefined): number | undefined {
  const instantMs = Date.parse(text ?? '');
  return Number.isNaN(instantMs) ? undefined : instantMs;
}
