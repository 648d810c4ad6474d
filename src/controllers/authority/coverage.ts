/**
 * What namespaces and Secrets are seen to carry of the authority: which trust bundle, and whose leaves. From caches alone; what
 * they do not show is not there.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { BUNDLE_NAME } from '../../api/group.ts';
import type { Lacking } from '../../domain/authority/facts.ts';
import { lastLeafEndsAtMs, type SigningSpan } from '../../domain/authority/last-leaf.ts';
import type { CertificateFacts } from '../../domain/certificate/facts.ts';
import { holdsGoodLeaf } from '../../domain/certificate/good-leaf.ts';
import type { RejectedLeaf } from '../../domain/certificate/plan.ts';
import { getOrInsert } from '../../domain/delegation/get-or-insert.ts';
import { judgeEligibility } from '../../domain/identity/eligibility.ts';
import { namesOf } from '../../domain/identity/resolve.ts';
import { issuerOfSpec } from '../../domain/issuance/issuer.ts';
import { keyOf } from '../../kube/object.ts';
import type { CertificateEnd } from '../../observe/identity-metrics.ts';
import { BY_AGENT, type ClusterView } from '../cluster-view.ts';
import { seeIdentity } from '../identity/gather.ts';
import { ownerUids, type SecretRecord, type TrustedAuthorities } from '../identity/secret-record.ts';
import { lastEnds } from '../ledger/last-ends.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import type { AuthorityBook } from './authority-book.ts';

/** What is looked at. */
export interface CoveragePorts {
  readonly view: ClusterView;
  readonly leaves: Pick<LeafBook, 'find' | 'lines' | 'completeSinceMs'>;
  readonly book: Pick<AuthorityBook, 'publishedIn' | 'hasPublished'>;
  readonly trusted: TrustedAuthorities;
  /** What is to be said against a leaf that a trusted authority has signed. */
  readonly rejected: (leaf: CertificateFacts) => RejectedLeaf | undefined;
}

/** What was seen at one instant. */
export interface Coverage {
  /** Namespaces with agents that are governed. */
  readonly namespaces: number;
  /** False before any bundle is known: then whatever namespaces carry cannot be told, and all of them lack everything. */
  readonly isLookedAt: boolean;
  /** What has not been seen to carry a generation. */
  lacking(id: string): Lacking;
  /** Secrets of identities by the generation of their leaf, those whose leaf is over left out. */
  readonly heldLeaves: ReadonlyMap<string, number>;
  /** False while Secrets of some agents cannot be looked at: then `heldLeaves` may miss some. */
  readonly areLeavesSeen: boolean;
  /** When the last leaf of a generation ends, milliseconds since the Unix epoch; undefined when there is none. */
  lastLeafEndsAtMs(generation: SigningSpan): number | undefined;
}

interface NamespaceSeen {
  /** Set when nobody can tell. */
  readonly unknown: string | undefined;
  /** Whether there is a trust bundle, whatever is in it. */
  readonly hasBundle: boolean;
  /** What is in it; undefined is one that nobody of us has published. */
  readonly bundle: ReadonlySet<string> | undefined;
  /** Whether an agent is so old that its bundle must be there. */
  hasOldAgent: boolean;
  /** Who holds a leaf, by what is in the bundle beside it; undefined is one that nobody of us has published. */
  readonly holders: Map<ReadonlySet<string> | undefined, AgentIdentity[]>;
}

/**
 * Looks at everything. What has to carry a generation is the bundle of every namespace with an agent, and every Secret with a good
 * leaf: to whom peers show leaves, and who is not about to lose his. Whatever is written for others carries all there is.
 *
 * @param settleMs The bundle of a namespace need not be there yet while all identities are younger. What is there must carry it,
 *   however young: pods may have mounted it.
 */
export function seeCoverage(
  ports: CoveragePorts,
  { nowMs, settleMs }: { readonly nowMs: number; readonly settleMs: number },
): Coverage {
  const { view, leaves, book } = ports;
  const seen = new Map<string, NamespaceSeen>();
  const heldLeaves = new Map<string, number>();
  const trusted = new Set(ports.trusted().map(({ id }) => id));
  let areLeavesSeen = view.identities.state === 'synced';
  for (const identity of view.identities.values()) {
    const hasIssuer = issuerOfSpec(identity.spec) !== undefined;
    const { namespace, creationTimestamp } = identity.metadata;
    const governed = view.governed(namespace);
    if (governed === undefined) continue;
    if (governed.secrets.state !== 'synced') areLeavesSeen = false;
    const at = getOrInsert(seen, namespace, () => seeNamespace(ports, namespace));
    at.hasOldAgent ||= Date.parse(creationTimestamp) + settleMs <= nowMs;
    for (const secret of secretsOf(view, identity)) {
      const generation = generationOfLeaf(leaves, secret, nowMs);
      if (generation === undefined) continue;
      heldLeaves.set(generation, (heldLeaves.get(generation) ?? 0) + 1);
      const standing = { isTrusted: trusted.has(generation), hasIssuer, rejected: ports.rejected, nowMs };
      if (!holdsGoodLeaf(secret.facts.content, standing)) continue;
      const carried = book.publishedIn(secret.facts.content.trustBundleSha256 ?? '');
      getOrInsert(at.holders, carried, () => []).push(identity);
    }
  }
  const ends = lastEnds(leaves);
  return {
    namespaces: seen.size,
    isLookedAt: book.hasPublished,
    heldLeaves,
    areLeavesSeen,
    lastLeafEndsAtMs: (generation) =>
      lastLeafEndsAtMs(generation, {
        endsAtMs: ends.get(generation.id),
        completeSinceMs: leaves.completeSinceMs,
      }),
    lacking: (id) =>
      new Map(
        [...seen].flatMap(([namespace, at]) => {
          const what = whatLacks(view, at, id);
          return what === undefined ? [] : [[namespace, what] as const];
        }),
      ),
  };
}

function seeNamespace({ view, book }: CoveragePorts, namespace: string): NamespaceSeen {
  const governed = view.governed(namespace);
  const states = [governed?.secrets.state, governed?.bundles.state];
  const unknown = states.includes('refused')
    ? 'the operator may not look: its RoleBinding is missing'
    : states.some((state) => state !== 'synced')
      ? 'it is not listed yet'
      : book.hasPublished
        ? undefined
        : 'it was not looked at yet';
  const digest = governed?.bundles.get(keyOf({ namespace, name: BUNDLE_NAME }))?.digests.get('ca.crt');
  const sha256 = Buffer.from(digest ?? '', 'base64url').toString('hex');
  return {
    unknown,
    hasBundle: digest !== undefined,
    bundle: book.publishedIn(sha256),
    hasOldAgent: false,
    holders: new Map(),
  };
}

function whatLacks(
  view: ClusterView,
  { unknown, hasBundle, bundle, hasOldAgent, holders }: NamespaceSeen,
  id: string,
): string | undefined {
  if (unknown !== undefined) return hasOldAgent ? unknown : undefined;
  if ((hasBundle || hasOldAgent) && bundle?.has(id) !== true)
    return `ConfigMap ${BUNDLE_NAME} does not carry it`;
  const without = [...holders].filter(([carried]) => carried?.has(id) !== true);
  const count = without.flatMap(([, identities]) =>
    identities.filter((each) => keepsLeaf(view, each)),
  ).length;
  return count === 0
    ? undefined
    : `ca.crt of ${count} ${count === 1 ? 'Secret' : 'Secrets'} does not carry it`;
}

/** Whether its Secrets are not taken away anyway. */
function keepsLeaf(view: ClusterView, { metadata }: AgentIdentity): boolean {
  const seen = seeIdentity({ view }, keyOf(metadata));
  const eligibility = seen && judgeEligibility(seen.situation);
  return eligibility?.kind === 'eligible' || eligibility?.wipe === false;
}

/** Who signed the leaf of a Secret; undefined when there is none that lives. The ledger knows also whom a cache has not verified. */
function generationOfLeaf(
  leaves: CoveragePorts['leaves'],
  { facts: { content } }: SecretRecord,
  nowMs: number,
): string | undefined {
  const { certificate } = content;
  if (certificate.kind !== 'certificate') return undefined;
  const { notAfterMs, generation } = leaves.find(certificate.serialHex) ?? {
    notAfterMs: certificate.notAfterMs,
    generation: certificate.authorityId,
  };
  return notAfterMs < nowMs ? undefined : generation;
}

/** When the certificates of all identities end. */
export function* certificateEnds(view: ClusterView): Iterable<CertificateEnd> {
  for (const identity of view.identities.values()) {
    const { namespace, name } = identity.metadata;
    const certificate = ownSecret(view, identity)?.facts.content.certificate;
    if (certificate?.kind === 'certificate')
      yield { namespace, name, notAfterSeconds: certificate.notAfterMs / 1000 };
  }
}

/** The Secret of an identity, if it is its own. */
function ownSecret(view: ClusterView, identity: AgentIdentity): SecretRecord | undefined {
  const { metadata, spec } = identity;
  const { secretName } = namesOf(metadata.name, spec);
  return secretsOf(view, identity).find((secret) => secret.metadata.name === secretName);
}

/** Those that are its own: also under a name that its spec had before, as long as nothing took their place. */
function secretsOf(view: ClusterView, { metadata, spec }: AgentIdentity): readonly SecretRecord[] {
  const { namespace, name, uid } = metadata;
  const secrets = view.governed(namespace)?.secrets;
  if (secrets === undefined) return [];
  const { secretName } = namesOf(name, spec);
  const keys = new Set([
    keyOf({ namespace, name: secretName }),
    ...secrets.byIndex(BY_AGENT, keyOf(metadata)),
  ]);
  return [...keys]
    .map((key) => secrets.get(key))
    .filter((secret) => secret !== undefined)
    .filter((secret) => ownerUids(secret).includes(uid));
}
