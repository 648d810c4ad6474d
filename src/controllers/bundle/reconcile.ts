/**
 * Keeps the bundle of one namespace true: there while the namespace has an agent, gone with the last.
 *
 * A ConfigMap of this name that somebody else made is taken over: agents trust what stands in it.
 */

import type { EventReason } from '../../api/event-reasons.ts';
import { BUNDLE_NAME } from '../../api/group.ts';
import { BY_NAMESPACE } from '../../cluster/identity-view.ts';
import { type BundleClaims, readBundleSignature, signBundle } from '../../crypto/jose/bundle-signature.ts';
import { type BundleSources, bundleContents } from '../../domain/bundle/contents.ts';
import { bundleFiles, type FileTexts, MAX_PARTS, SIGNATURE_FILE } from '../../domain/bundle/files.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { isKubeError, isNamespaceTerminating } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { type Key, keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { AuthorityState, ReadyAuthority } from '../authority/authority-state.ts';
import type { ClusterView, GovernedNamespace } from '../cluster-view.ts';
import type { RevocationLists } from '../crl/revocation-lists.ts';
import type { RevocationBook } from '../revocation/revocation-book.ts';
import type { BundleLeaf } from './bundle-leaf.ts';
import {
  type BundleRecord,
  bundleRecord,
  digestsOf,
  type FileDigests,
  isSameFiles,
} from './bundle-record.ts';
import {
  BUNDLE_LIFE_SECONDS,
  type BundleFindings,
  isCurrent,
  judgeBundle,
  partOf,
  renewalMs,
} from './judge.ts';
import type { BundleMemory } from './memory.ts';
import type { PodCounts } from './several-pods.ts';
import { BundleStore } from './store.ts';

/** What the reconciler is made of. */
export interface BundlePorts {
  readonly view: ClusterView;
  readonly client: Pick<KubeClient, 'find' | 'delete'>;
  readonly writer: FencedWriter;
  readonly authority: () => AuthorityState;
  readonly sources: BundleSources;
  /** Whether the graph lacks nothing. */
  readonly graph: { readonly isComplete: boolean };
  readonly revocations: RevocationBook;
  readonly pods: Pick<PodCounts, 'isKnown'>;
  readonly lists: RevocationLists;
  readonly leaf: BundleLeaf;
  readonly memory: BundleMemory;
  readonly trustDomain: string;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly observer: BundleObserver;
  /** What one ConfigMap holds, in bytes. */
  readonly partBytes?: number;
  /** Tells people; `configMap` is what it is about. */
  readonly tell: (
    configMap: { readonly metadata: ObjectMeta },
    event: { readonly reason: EventReason; readonly note: string },
  ) => void;
}

/** Where the reconciler reports to; none of the functions may throw. */
export interface BundleObserver {
  /** The contents of one namespace were put together. */
  computed(seconds: number): void;
  wrote(reason: 'changed' | 'signed' | 'mended'): void;
  tooLarge(): void;
}

/** While a bundle has further ConfigMaps, which no cache shows, they are looked at this often. */
const FURTHER_RECHECK_MS = 60_000;

/** The key is a namespace. Idempotent. */
export function bundleReconciler(ports: BundlePorts): Reconcile {
  /** Namespaces where a bundle stands that no cache shows: it lacks our label. */
  const contested = new Set<Key>();
  return async (namespace, { signal }) => {
    const { view, revocations, graph, memory, pods } = ports;
    const governed = view.governed(namespace);
    // Without a whole list of identities a namespace only looks as if it had no agent.
    if (!view.identities.hasSynced || governed?.bundles.state !== 'synced') return { kind: 'settled' };
    const cached = governed.bundles.get(keyOf({ namespace, name: BUNDLE_NAME }));
    const store = new BundleStore(ports, namespace, signal);
    if (view.identities.byIndex(BY_NAMESPACE, namespace).length === 0) {
      contested.delete(namespace);
      memory.forget(namespace);
      if (cached !== undefined) await remove(store, governed, cached);
      return { kind: 'settled' };
    }
    const authority = ports.authority();
    // The authority wakes every namespace when it becomes ready, and so do graph, revocations and pods when they are whole.
    if (authority.kind !== 'ready') return { kind: 'stalled', reason: 'AuthorityUnavailable' };
    if (!graph.isComplete) return { kind: 'stalled', reason: 'GraphIncomplete' };
    if (!revocations.isComplete) return { kind: 'stalled', reason: 'RevocationsUnknown' };
    if (!pods.isKnown(namespace)) return { kind: 'stalled', reason: 'PodsUnknown' };
    try {
      const live = cached === undefined && contested.has(namespace) ? await store.find(0) : undefined;
      const observed = cached ?? (live && bundleRecord(live));
      const outcome = await keep(ports, { governed, namespace, observed, authority, store });
      contested.delete(namespace);
      return outcome;
    } catch (error) {
      if (isNamespaceTerminating(error)) return { kind: 'settled' };
      if (isKubeError(error, 'KUBE_ALREADY_EXISTS')) contested.add(namespace);
      throw error;
    }
  };
}

interface Kept {
  readonly governed: GovernedNamespace;
  readonly namespace: string;
  readonly observed: BundleRecord | undefined;
  readonly authority: ReadyAuthority;
  readonly store: BundleStore;
}

async function keep(ports: BundlePorts, kept: Kept): Promise<Outcome> {
  const { namespace, observed, authority, store } = kept;
  const { memory, revocations } = ports;
  const nowMs = ports.nowMs();
  const trust = { rootsPem: authority.bundlePem, trustDomain: ports.trustDomain };
  const formerPem = memory.formerPem(authority.bundlePem);
  const found = findingsOf(
    memory,
    namespace,
    observed && judgeBundle({ namespace, observed, trust, formerPem }),
  );
  await memory.adoptOnce(namespace, found, { store, revocations, lists: ports.lists });
  const { revision } = revocations;
  const startedMs = ports.monotonicMs();
  const contents = bundleContents(ports.sources, namespace);
  ports.observer.computed((ports.monotonicMs() - startedMs) / 1000);
  memory.named.set(namespace, contents.agents);
  const texts = { caPem: authority.bundlePem, crlPem: ports.lists.pem(authority) };
  const files = bundleFiles(contents, texts, ports.partBytes);
  if (files.kind === 'too-large') {
    const note = `The bundle would have ${files.bytes} bytes, more than ${MAX_PARTS} ConfigMaps hold. It is not written, and agents refuse all tokens when the last one ends. Let fewer agents reach this namespace.`;
    ports.tell(observed ?? { metadata: { name: BUNDLE_NAME, namespace } }, {
      reason: 'BundleTooLarge',
      note,
    });
    ports.observer.tooLarge();
    return { kind: 'stalled', reason: 'BundleTooLarge' };
  }
  const [first = {}, ...further] = files.parts;
  const desired = digestsOf(Object.assign({}, ...files.parts) as FileTexts);
  const current = found?.wrong === undefined && found?.claims !== undefined ? found.claims : undefined;
  const isKept =
    current !== undefined &&
    isCurrent(current, desired, nowMs) &&
    isSignedAnew(kept, ports.trustDomain, current);
  const isFurtherWrong = await store.keepFurther(further);
  const iat = isKept ? current.iat : await sign(ports, kept, { first, desired, found, nowMs });
  if (found?.wrong !== undefined || (isKept && isFurtherWrong)) tellTampered(ports, kept, found?.wrong);
  if (partsOf(found) > further.length) await store.removeFrom(further.length + 1);
  memory.published(namespace, revision);
  const renewMs = renewalMs({ iat });
  return {
    kind: 'recheck',
    atMs: further.length === 0 ? renewMs : Math.min(renewMs, nowMs + FURTHER_RECHECK_MS),
  };
}

function findingsOf(
  memory: BundleMemory,
  namespace: string,
  found: BundleFindings | undefined,
): BundleFindings | undefined {
  if (found?.claims === undefined || found.wrong !== undefined) return found;
  return memory.isOlder(namespace, found.claims.sequence)
    ? { ...found, wrong: 'it was an older one' }
    : found;
}

/** Before a generation that signed a bundle is trusted no more, no pod may have that bundle mounted. */
function isSignedAnew(
  { observed, authority }: Kept,
  trustDomain: string,
  { iat }: Pick<BundleClaims, 'iat'>,
): boolean {
  const trust = { rootsPem: authority.signingPem, trustDomain, nowMs: iat * 1000 };
  return readBundleSignature(observed?.signature ?? '', trust) !== undefined;
}

interface Signed {
  readonly first: FileTexts;
  readonly desired: FileDigests;
  readonly found: BundleFindings | undefined;
  readonly nowMs: number;
}

/** Signs and writes the first ConfigMap; resolves with when. */
async function sign(
  ports: BundlePorts,
  { governed, namespace, observed, authority, store }: Kept,
  { first, desired, found, nowMs }: Signed,
): Promise<number> {
  const sequence = ports.memory.nextSequence(namespace, found?.claims?.sequence ?? 0, nowMs);
  const iat = Math.floor(nowMs / 1000);
  const signature = signBundle(
    { sequence, iat, exp: iat + BUNDLE_LIFE_SECONDS, aud: namespace, files: desired },
    ports.leaf.signer(authority, nowMs),
  );
  const written = await store.write(0, { ...first, [SIGNATURE_FILE]: signature }, observed);
  governed.bundles.observe(written);
  ports.memory.wrote(namespace, sequence);
  ports.observer.wrote(reasonOf(found, desired));
  return iat;
}

function reasonOf(found: BundleFindings | undefined, desired: FileDigests): 'changed' | 'signed' | 'mended' {
  if (found?.wrong !== undefined) return 'mended';
  return found?.claims !== undefined && isSameFiles(found.claims.files, desired) ? 'signed' : 'changed';
}

function tellTampered({ tell }: BundlePorts, { namespace, observed }: Kept, wrong: string | undefined): void {
  const note = `Mended the trust bundle: ${wrong ?? 'a further part was not what agent-trust has signed'}`;
  const metadata = observed?.metadata ?? { name: BUNDLE_NAME, namespace };
  tell({ metadata }, { reason: 'BundleTampered', note });
}

/** How many further ConfigMaps there were. */
function partsOf(found: BundleFindings | undefined): number {
  return Math.max(0, ...[...(found?.claims?.files.keys() ?? [])].map(partOf));
}

async function remove(
  store: BundleStore,
  { bundles }: GovernedNamespace,
  { metadata }: BundleRecord,
): Promise<void> {
  await store.removeFrom(1);
  await store.remove(metadata);
  bundles.observeDeleted(metadata);
}
