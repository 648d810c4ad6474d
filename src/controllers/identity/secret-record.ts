/** What is kept in memory of a Secret: metadata, and facts about its content. Never the bytes of a key. */

import { AGENT_IDENTITY, ANNOTATION_OWNER_UID, GROUP, LABEL_AGENT } from '../../api/group.ts';
import { bundleDigests } from '../../crypto/bundle-digests.ts';
import { inspectSecret } from '../../crypto/inspect.ts';
import { inspectSigningKeys } from '../../crypto/jose/signing-key-files.ts';
import { PEM_LIMIT_BYTES } from '../../crypto/pem.ts';
import { signingAuthority, type VerifyingAuthority } from '../../crypto/signing-authority.ts';
import { SECRET_KEYS, type SecretFacts } from '../../domain/certificate/facts.ts';
import { SIGNING_DATA, SIGNING_SECRET_TYPE, type SigningContent } from '../../domain/signing/facts.ts';
import { withoutCopy } from '../../kube/carry-over.ts';
import { type Key, keptMetadata, keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { KnownContents } from './known-contents.ts';
import type { Secret } from './secret.ts';

/** The projection of a Secret. `metadata` is as read, without managedFields, so that it can be carried over. */
export interface SecretRecord {
  readonly metadata: ObjectMeta;
  readonly facts: SecretFacts;
  /** What it says of signing keys; undefined for a Secret that has none and is not of their type. */
  readonly signing: SigningContent | undefined;
  /** `tls.crt` as latin1, so that it can be verified again when other authorities are trusted. */
  readonly certificatePem: string;
  /** Digests of the certificates in `ca.crt`, by `bundleDigests`. */
  readonly trustBundle: readonly string[];
  /** Those that `facts` was found with. */
  readonly verifiedWith: readonly VerifyingAuthority[];
}

/** The authorities trusted at the moment. The same list as long as nothing changes. */
export type TrustedAuthorities = () => readonly VerifyingAuthority[];

/** What a Secret is judged with. */
export interface SecretJudge {
  readonly trusted: TrustedAuthorities;
  /** Contents that need no inspection. */
  readonly known: Pick<KnownContents, 'of'>;
}

/** Projects a Secret; its data are looked at once and dropped, all but the certificate and public keys. */
export function secretRecord(secret: Secret, { trusted, known }: SecretJudge): SecretRecord {
  const authorities = trusted();
  // Without kubectl's copy of the whole object, which holds the key.
  const metadata = withoutCopy(keptMetadata(secret.metadata));
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const data = Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
  );
  return {
    metadata,
    facts: {
      type: secret.type ?? 'Opaque',
      immutable: secret.immutable === true,
      ownerUid: annotations[ANNOTATION_OWNER_UID],
      ownerReferences,
      labels,
      annotations,
      dataKeys: Object.keys(data),
      content: known.of(secret) ?? inspectSecret(data, authorities),
    },
    signing: holdsSigningKeys(secret) ? inspectSigningKeys(data) : undefined,
    certificatePem:
      data[SECRET_KEYS.certificate]?.subarray(0, PEM_LIMIT_BYTES.chain).toString('latin1') ?? '',
    trustBundle: bundleDigests(data[SECRET_KEYS.trustBundle] ?? Buffer.alloc(0)),
    verifiedWith: authorities,
  };
}

function holdsSigningKeys({ type, data = {} }: Secret): boolean {
  return (
    type === SIGNING_SECRET_TYPE || Object.values(SIGNING_DATA).some((name) => Object.hasOwn(data, name))
  );
}

/** The same record, judged by the authorities that are trusted now. */
export function verifiedRecord(record: SecretRecord, trusted: TrustedAuthorities): SecretRecord {
  const authorities = trusted();
  const { content } = record.facts;
  if (record.verifiedWith === authorities || content.certificate.kind !== 'certificate') return record;
  const end = signingAuthority(Buffer.from(record.certificatePem, 'latin1'), authorities);
  const { intermediateCount: _count, lacksIntermediates: _lacks, ...leaf } = content.certificate;
  const certificate = { ...leaf, authorityId: undefined, ...end };
  return {
    ...record,
    facts: { ...record.facts, content: { ...content, certificate } },
    verifiedWith: authorities,
  };
}

/** Other API groups may have a kind of this name. */
function isAgentReference({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): boolean {
  return kind === AGENT_IDENTITY.kind && apiVersion.startsWith(`${GROUP}/`);
}

/** Keys of the AgentIdentities that a Secret says it is kept for: by label and by owner reference. */
export function agentsOf({ metadata }: SecretRecord): readonly Key[] {
  const names = new Set((metadata.ownerReferences ?? []).filter(isAgentReference).map(({ name }) => name));
  const labelled = metadata.labels?.[LABEL_AGENT];
  if (labelled !== undefined) names.add(labelled);
  return [...names].map((name) => keyOf({ ...metadata, name }));
}

/**
 * UIDs of the identities that a Secret says it belongs to: its annotation alone when it has one, since anybody may add an
 * owner; without marks what its signing keys say. Empty: it does not say so, and is nobody's of ours.
 */
export function ownerUids({ facts, signing }: SecretRecord): readonly string[] {
  if (facts.ownerUid !== undefined) return [facts.ownerUid];
  const owners = facts.ownerReferences.filter(isAgentReference).map(({ uid }) => uid);
  return owners.length > 0 || signing?.identityUid === undefined ? owners : [signing.identityUid];
}
