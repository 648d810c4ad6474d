/** The parts of the controller process that keep the bundles of namespaces, and the revocations in them. */

import type { Registry } from 'prom-client';
import type { EventReason } from '../api/event-reasons.ts';
import { TOKEN_REVOCATION } from '../api/group.ts';
import type { DelegationView } from '../cluster/delegation-view.ts';
import type { GraphBook } from '../cluster/graph-book.ts';
import type { IdentityViewOptions } from '../cluster/identity-view.ts';
import { type RevocationCache, revocationCache } from '../cluster/revocation-cache.ts';
import type { AuthorityState } from '../controllers/authority/authority-state.ts';
import { BundleLeaf } from '../controllers/bundle/bundle-leaf.ts';
import { BundleMemory } from '../controllers/bundle/memory.ts';
import { bundleReconciler } from '../controllers/bundle/reconcile.ts';
import { podCounts } from '../controllers/bundle/several-pods.ts';
import { bundleSources, type KeySource } from '../controllers/bundle/sources.ts';
import { connectBundles, ENDED_GATHER_MS } from '../controllers/bundle/triggers.ts';
import type { ClusterView } from '../controllers/cluster-view.ts';
import type { RevocationLists } from '../controllers/crl/revocation-lists.ts';
import type { RevokedBook } from '../controllers/crl/revoked-book.ts';
import type { MeshView } from '../controllers/mesh/mesh-view.ts';
import { revocationReconciler } from '../controllers/revocation/reconcile.ts';
import { RevocationBook } from '../controllers/revocation/revocation-book.ts';
import { connectRevocations, missingBundles } from '../controllers/revocation/triggers.ts';
import { type PublishedKeyChanges, publishedKeys } from '../controllers/signing/published-keys.ts';
import { statusWriter } from '../controllers/status-writer.ts';
import { namespacesToKeep } from '../controllers/triggers.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReferenceClock } from '../kube/clock.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import type { FencedWriter } from '../kube/fenced-writer.ts';
import type { ObjectMeta } from '../kube/object.ts';
import { bundleMetrics } from '../observe/bundle-metrics.ts';
import type { ControllerConfig } from './config.ts';

/** What the parts are made of. */
export interface BundlePartsOptions extends Pick<IdentityViewOptions, 'cache'> {
  readonly view: ClusterView;
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  /** Its pods count. */
  readonly mesh: MeshView;
  /** Of the signing keys of agents. */
  readonly changes: PublishedKeyChanges;
  readonly authority: () => AuthorityState;
  readonly revoked: RevokedBook;
  readonly lists: RevocationLists;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly writer: FencedWriter;
  readonly registry: Registry;
  readonly clock: ReferenceClock;
  readonly operatorNamespace: string;
  readonly config: Pick<ControllerConfig, 'trustDomain' | 'clusterDomain'> & {
    readonly authority: Pick<ControllerConfig['authority'], 'acceleration'>;
  };
  /** What one ConfigMap of a bundle holds, in bytes. */
  readonly partBytes?: number;
  /** What every controller of the process has. */
  readonly controller: (name: string) => Omit<ControllerOptions, 'reconcile' | 'listKeys'>;
  readonly tell: (
    metadata: ObjectMeta,
    event: { readonly reason: EventReason; readonly note: string },
  ) => void;
}

/** The parts, connected; nothing runs yet. */
export interface BundleParts {
  readonly bundles: Controller;
  readonly revocations: Controller;
  readonly cache: RevocationCache;
}

const BUNDLE_WORKERS = 4;

/** Builds them. */
export function bundleParts(options: BundlePartsOptions): BundleParts {
  const { view, delegation, book, changes, authority, client, writer, clock, config, controller } = options;
  const keys: KeySource = {
    keysIn: (namespace) => publishedKeys(view, namespace),
    onChange: (listener) => changes.onChange(listener),
  };
  const nowMs = (): number => clock.nowMs();
  const surelyPastMs = (): number => clock.surelyPastMs();
  const pods = podCounts(options.mesh);
  const cache = revocationCache(options.cache);
  const { trustDomain, clusterDomain } = config;
  const { operatorNamespace, partBytes } = options;
  const revocationBook = new RevocationBook({
    view,
    revocations: cache,
    operatorNamespace,
    trustDomain,
    nowMs,
    surelyPastMs,
  });
  const sources = bundleSources({
    view,
    delegation,
    book,
    keys,
    revocations: revocationBook,
    pods,
    settings: { trustDomain, clusterDomain },
  });
  const memory = new BundleMemory(() => clock.monotonicMs());
  const bundles = new Controller({
    ...controller('bundle'),
    workers: BUNDLE_WORKERS,
    listKeys: () => namespacesToKeep(view),
    reconcile: bundleReconciler({
      view,
      client,
      writer,
      authority,
      sources,
      graph: book,
      revocations: revocationBook,
      pods,
      lists: options.lists,
      leaf: new BundleLeaf(trustDomain),
      memory,
      trustDomain,
      nowMs,
      observer: bundleMetrics(options.registry),
      monotonicMs: () => clock.monotonicMs(),
      ...(partBytes === undefined ? {} : { partBytes }),
      tell: ({ metadata }, event) => options.tell(metadata, event),
    }),
  });
  const revocations = new Controller({
    ...controller('tokenrevocation'),
    listKeys: () => cache.keys(),
    reconcile: revocationReconciler({
      revocations: cache,
      book: revocationBook,
      missing: (namespace, revision) => missingBundles({ view, memory }, namespace, revision),
      client,
      write: statusWriter({ client, type: TOKEN_REVOCATION, cache }),
      nowMs,
      surelyPastMs,
    }),
  });
  const { revoked } = options;
  connectBundles({
    view,
    delegation,
    book,
    keys,
    revocations: revocationBook,
    revoked,
    pods,
    memory,
    bundles,
    endedGatherMs: ENDED_GATHER_MS / config.authority.acceleration,
  });
  connectRevocations({ view, cache, memory, revocations, bundles });
  return { bundles, revocations, cache };
}
