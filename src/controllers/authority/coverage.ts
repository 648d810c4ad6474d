/**
 * What namespaces and Secrets are seen to carry of the authority: which trust bundle, and whose leaves. From caches alone; what
 * they do not show is not there.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { BUNDLE_NAME } from '../../api/group.ts';
import type { Lacking } from '../../domain/authority/facts.ts';
import { resolveAgentIdentity } from '../../domain/identity/resolve.ts';
import { keyOf } from '../../kube/object.ts';
import type { CertificateEnd } from '../../observe/identity-metrics.ts';
import type { ClusterView } from '../cluster-view.ts';
import { ownerUids, type SecretRecord } from '../identity/secret-record.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import type { AuthorityBook } from './authority-book.ts';

/** What is looked at. */
export interface CoveragePorts {
  readonly view: ClusterView;
  readonly leaves: Pick<LeafBook, 'find' | 'lines'>;
  readonly book: Pick<AuthorityBook, 'publishedIn' | 'hasPublished'>;
}

/** What was seen at one instant. */
export interface Coverage {
  /** Namespaces with agents that are governed. */
  readonly namespaces: number;
  /** False before any bundle is known: then whatever namespaces carry cannot be told, and all of them lack everything. */
  readonly isLookedAt: boolean;
  /** What has not been seen to carry a generation. */
  lacking(id: string): Lacking;
  /** Secrets by the generation of their leaf, those whose leaf is over left out. */
  readonly heldLeaves: ReadonlyMap<string, number>;
  /** When the last leaf of each generation ends. */
  readonly lastLeafEndsAtMs: ReadonlyMap<string, number>;
}

interface NamespaceSeen {
  /** Set when nobody can tell. */
  unknown: string | undefined;
  bundle: ReadonlySet<string> | undefined;
  /** Those of each Secret; undefined for one whose bundle nobody of us has published. */
  readonly secrets: Map<ReadonlySet<string> | undefined, number>;
}

/**
 * Looks at everything.
 *
 * @param settleMs An identity that is younger counts for nothing: whatever is written for it carries all there is.
 */
export function seeCoverage(
  ports: CoveragePorts,
  { nowMs, settleMs }: { readonly nowMs: number; readonly settleMs: number },
): Coverage {
  const { view, leaves, book } = ports;
  const seen = new Map<string, NamespaceSeen>();
  const heldLeaves = new Map<string, number>();
  for (const identity of view.identities.values()) {
    const { namespace, creationTimestamp } = identity.metadata;
    const isYoung = Date.parse(creationTimestamp) + settleMs > nowMs;
    if (isYoung || view.governed(namespace) === undefined) continue;
    const at = seen.get(namespace) ?? seeNamespace(ports, namespace);
    seen.set(namespace, at);
    const secret = ownSecret(view, identity);
    if (secret === undefined) continue;
    const { trustBundleSha256 = '', certificate } = secret.facts.content;
    const carried = book.publishedIn(trustBundleSha256);
    at.secrets.set(carried, (at.secrets.get(carried) ?? 0) + 1);
    if (certificate.kind !== 'certificate' || certificate.notAfterMs < nowMs) continue;
    const generation = leaves.find(certificate.serialHex)?.generation ?? certificate.authorityId ?? '';
    heldLeaves.set(generation, (heldLeaves.get(generation) ?? 0) + 1);
  }
  return {
    namespaces: seen.size,
    isLookedAt: book.hasPublished,
    heldLeaves,
    lastLeafEndsAtMs: lastEnds(leaves),
    lacking: (id) =>
      new Map(
        [...seen].flatMap(([namespace, at]) => {
          const what = whatLacks(at, id);
          return what === undefined ? [] : [[namespace, what] as const];
        }),
      ),
  };
}

function seeNamespace({ view, book }: CoveragePorts, namespace: string): NamespaceSeen {
  const governed = view.governed(namespace);
  const states = [governed?.secrets.state, governed?.bundles.state];
  const secrets = new Map<ReadonlySet<string> | undefined, number>();
  const unknown = states.includes('refused')
    ? 'the operator may not look: its RoleBinding is missing'
    : states.some((state) => state !== 'synced')
      ? 'it is not listed yet'
      : book.hasPublished
        ? undefined
        : 'it was not looked at yet';
  const digest = governed?.bundles.get(keyOf({ namespace, name: BUNDLE_NAME }))?.digests.get('ca.crt');
  const sha256 = Buffer.from(digest ?? '', 'base64url').toString('hex');
  return { unknown, bundle: book.publishedIn(sha256), secrets };
}

function whatLacks({ unknown, bundle, secrets }: NamespaceSeen, id: string): string | undefined {
  if (unknown !== undefined) return unknown;
  if (bundle?.has(id) !== true) return `ConfigMap ${BUNDLE_NAME} does not carry it`;
  const without = [...secrets].filter(([carried]) => carried?.has(id) !== true);
  const count = without.reduce((sum, [, each]) => sum + each, 0);
  return count === 0
    ? undefined
    : `ca.crt of ${count} ${count === 1 ? 'Secret' : 'Secrets'} does not carry it`;
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
function ownSecret(
  view: ClusterView,
  { metadata: { namespace, name, uid }, spec }: AgentIdentity,
): SecretRecord | undefined {
  const { secretName } = resolveAgentIdentity(name, spec);
  const secret = view.governed(namespace)?.secrets.get(keyOf({ namespace, name: secretName }));
  return secret !== undefined && ownerUids(secret).includes(uid) ? secret : undefined;
}

function lastEnds(leaves: CoveragePorts['leaves']): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { generation, notAfterMs } of leaves.lines()) {
    if (notAfterMs > (ends.get(generation) ?? 0)) ends.set(generation, notAfterMs);
  }
  return ends;
}
