/** The part of the operator that keeps bundles, alone, with a clock and a room that a test chooses. */

import { Registry } from 'prom-client';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { DelegationView } from '../../../src/cluster/delegation-view.ts';
import { GraphBook } from '../../../src/cluster/graph-book.ts';
import { type BundleParts, bundleParts } from '../../../src/cmd/bundle-parts.ts';
import { cachesComponent } from '../../../src/cmd/components.ts';
import { crlParts } from '../../../src/cmd/crl-parts.ts';
import type { ReadyAuthority } from '../../../src/controllers/authority/authority-state.ts';
import { ClusterView } from '../../../src/controllers/cluster-view.ts';
import { KnownContents } from '../../../src/controllers/identity/known-contents.ts';
import { LeafBook } from '../../../src/controllers/ledger/leaf-book.ts';
import { MeshView } from '../../../src/controllers/mesh/mesh-view.ts';
import { PublishedKeyChanges } from '../../../src/controllers/signing/published-keys.ts';
import type { Authority } from '../../../src/crypto/authority-reader.ts';
import type { LedgerLine } from '../../../src/domain/ledger/ledger-line.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type Clock, ReferenceClock } from '../../../src/kube/clock.ts';
import { controllersComponent } from '../../../src/kube/components.ts';
import { loadCredentials } from '../../../src/kube/credentials.ts';
import { FencedWriter } from '../../../src/kube/fenced-writer.ts';
import { Transport } from '../../../src/kube/transport.ts';

/** How it runs. */
export interface BundleOperatorOptions {
  readonly controlPlane: ControlPlane;
  readonly namespaces: readonly string[];
  readonly authority: ReadyAuthority;
  /** The same with their keys. */
  readonly generations: readonly Authority[];
  /** What stands in the issuance ledger. */
  readonly leaves?: readonly LedgerLine[];
  readonly clock: Clock;
  /** What one ConfigMap holds; a cluster's by default. */
  readonly partBytes?: number;
}

/** A running one. */
export interface BundleOperator extends BundleParts {
  /** Reason and note of each event. */
  readonly events: readonly { readonly reason: string; readonly note: string }[];
  stop(): Promise<void>;
}

/** Starts it, with every right. */
export async function startBundles(options: BundleOperatorOptions): Promise<BundleOperator> {
  const { controlPlane, namespaces, authority, partBytes } = options;
  const clock = new ReferenceClock(options.clock);
  const transport = new Transport({
    credentials: await loadCredentials({ kubeconfig: controlPlane.kubeconfigPath }),
    product: { name: 'agent-trust-test', version: '0' },
    connections: 8,
  });
  const fieldManager = 'agent-trust-controller';
  const client = new KubeClient({ transport, fieldManager });
  const writer = new FencedWriter({
    transport,
    fence: { assertHeld() {} },
    fieldManager,
    ownPrefix: 'agenttrust.dev/',
  });
  const view = new ClusterView({
    cache: { client },
    namespaces,
    operatorNamespace: OPERATOR_NAMESPACE,
    judge: { trusted: () => [], known: new KnownContents() },
  });
  const delegation = new DelegationView({ cache: { client } });
  const mesh = new MeshView({ cache: { client }, namespaces, rootNamespace: 'istio-system' });
  const events: { readonly reason: string; readonly note: string }[] = [];
  const registry = new Registry();
  const leaves = new LeafBook();
  const crl = crlParts({
    view,
    leaves,
    generations: () => options.generations,
    client,
    registry,
    clock,
    controller: (name) => ({ name }),
  });
  crl.connect({ enqueue() {} });
  const parts = bundleParts({
    revoked: crl.revoked,
    lists: crl.lists,
    cache: { client },
    view,
    delegation,
    book: new GraphBook({ view, delegation }),
    mesh,
    changes: new PublishedKeyChanges(view),
    authority: () => authority,
    client,
    writer,
    registry,
    clock,
    operatorNamespace: OPERATOR_NAMESPACE,
    config: { trustDomain: 'cluster.local', clusterDomain: 'cluster.local', authority: { acceleration: 1 } },
    ...(partBytes === undefined ? {} : { partBytes }),
    controller: (name) => ({ name }),
    tell: (_metadata, event) => events.push(event),
  });
  const caches = [view.identities, ...delegation.caches(), ...view.caches(), ...mesh.caches(), parts.cache];
  const components = [
    cachesComponent('caches', caches),
    controllersComponent([crl.controller, parts.bundles, parts.revocations]),
  ];
  const abort = new AbortController();
  leaves.replace(options.leaves ?? []);
  for (const component of components) await component.start({ signal: abort.signal, fail() {} });
  return {
    ...parts,
    events,
    async stop() {
      for (const component of components.toReversed()) await component.stop({ graceMs: 5000, clean: true });
      abort.abort();
      await transport.close();
    },
  };
}
