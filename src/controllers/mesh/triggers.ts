/** Which identities have work when something of mesh, network or graph changes. Events only wake keys. */

import { isDeepStrictEqual } from 'node:util';
import type { DelegationView, NamespaceRecord } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import { BY_CALLER, BY_NAMESPACE, BY_SERVICE_ACCOUNT } from '../../cluster/identity-view.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import { selects } from '../../domain/delegation/label-selector.ts';
import type { Controller } from '../../kube/controller.ts';
import { type Key, splitKey } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import { wakeInTurn } from '../triggers.ts';
import type { MeshScope, MeshView } from './mesh-view.ts';
import type { PodRecord } from './pod-record.ts';
import type { ForeignRecord, PolicyRecord } from './policy-record.ts';

/** What is connected. */
export interface MeshTriggers {
  readonly view: ClusterView;
  readonly mesh: MeshView;
  readonly namespaces: DelegationView['namespaces'];
  readonly book: GraphBook;
  readonly identities: Pick<Controller, 'enqueue'>;
}

/** Pods come and go in swarms; whoever looks at them a little later looks once. */
const POD_DELAY_MS = 500;
/** Labels of a namespace that decide what carries the traffic of its pods. */
const MESH_LABELS = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode', 'istio.io/use-waypoint'];

/** Connects them. Call before the caches start, and after the graph is connected with its own. */
export function connectMesh(triggers: MeshTriggers): void {
  const { mesh, book, identities, namespaces } = triggers;
  connectIdentities(triggers);
  book.onChange(({ targets }) => {
    for (const target of targets) identities.enqueue(target);
  });
  book.onCompletenessChange(() => wakeAll(triggers));
  namespaces.onChange((namespace, current, previous) => {
    if (!isDeepStrictEqual(meshLabels(current), meshLabels(previous))) wakeNamespace(triggers, namespace);
  });
  for (const [namespace, scope] of mesh.scopes()) connectScope(triggers, namespace, scope);
  for (const kind of mesh.kinds()) kind.onChange(() => wakeAll(triggers));
  const [policies, peers, config] = mesh.rootCaches();
  for (const cache of [policies, peers]) {
    cache.onChange((_key, ...records) => {
      for (const [, scope] of mesh.scopes()) wakeSelected(triggers, scope, records);
    });
  }
  config.onChange(() => wakeAll(triggers));
}

/** The keys of agents that have objects, whether they have an AgentIdentity or not. */
export function agentsWithObjects(mesh: MeshView): ReadonlySet<Key> {
  const keys = new Set<Key>();
  for (const [, { networkPolicies, authorizationPolicies, peerAuthentications }] of mesh.scopes()) {
    for (const cache of [networkPolicies, authorizationPolicies.current, peerAuthentications.current]) {
      for (const record of cache?.values() ?? []) if (record.kind === 'own') keys.add(record.agent);
    }
  }
  return keys;
}

/** An agent that comes, goes or becomes another changes who its targets' callers are, and who may be a caller at all. */
function connectIdentities(triggers: MeshTriggers): void {
  const { view, book, identities } = triggers;
  view.identities.onChange((key, current, previous) => {
    if (current !== undefined && current.metadata.uid === previous?.metadata.uid) return;
    for (const { to } of book.graph.edgesOutOf(key as AgentId)) identities.enqueue(to);
    const { metadata, spec } = current ?? previous ?? {};
    const account = metadata === undefined ? undefined : (spec?.serviceAccountName ?? metadata.name);
    const { namespace } = splitKey(key);
    for (const each of view.identities.byIndex(BY_CALLER, `${namespace}/${account}`))
      identities.enqueue(each);
  });
}

function connectScope(triggers: MeshTriggers, namespace: string, scope: MeshScope): void {
  const { view, identities } = triggers;
  const { networkPolicies, authorizationPolicies, peerAuthentications, pods, services } = scope;
  for (const cache of [networkPolicies, authorizationPolicies, peerAuthentications]) {
    cache.onChange((_key, current, previous) => {
      if (isDeepStrictEqual(current, previous)) return;
      for (const record of [current, previous]) if (record?.kind === 'own') identities.enqueue(record.agent);
      wakeSelected(triggers, scope, [current, previous]);
    });
  }
  pods.onChange((_key, current, previous) => {
    if (isDeepStrictEqual(current, previous)) return;
    for (const key of new Set([current, previous].flatMap((pod) => agentsOfPod(triggers, scope, pod)))) {
      identities.enqueue(key, { delayMs: POD_DELAY_MS });
    }
  });
  services.onChange((key, current, previous) => {
    if (current?.waypoint !== previous?.waypoint && view.identities.get(key) !== undefined) {
      identities.enqueue(key);
    }
  });
  for (const cache of Object.values(scope)) {
    cache.onStateChange(() => (namespace === '*' ? wakeAll(triggers) : wakeNamespace(triggers, namespace)));
  }
}

/** Wakes the agents whose pods an object of somebody else selects, or did. */
function wakeSelected(
  triggers: MeshTriggers,
  scope: MeshScope,
  records: readonly (PolicyRecord | undefined)[],
): void {
  const foreign = records.filter((record): record is ForeignRecord => record?.kind === 'foreign');
  if (foreign.length === 0) return;
  const { rootNamespace } = triggers.mesh;
  const keys = new Set<Key>();
  for (const pod of scope.pods.values()) {
    const isSelected = foreign.some(
      ({ namespace, selector }) =>
        (namespace === pod.namespace || namespace === rootNamespace) && selects(selector, pod.labels),
    );
    if (isSelected) for (const key of agentsOfPod(triggers, scope, pod)) keys.add(key);
  }
  for (const key of keys) triggers.identities.enqueue(key, { delayMs: POD_DELAY_MS });
}

/** The agents that a pod runs as; also one whose AgentIdentity is gone, and which waits for its last pod. */
function agentsOfPod(
  { view, mesh }: MeshTriggers,
  scope: MeshScope,
  pod: PodRecord | undefined,
): readonly Key[] {
  if (pod === undefined) return [];
  const account = `${pod.namespace}/${pod.account}`;
  return [...view.identities.byIndex(BY_SERVICE_ACCOUNT, account), ...mesh.tombstonesOf(scope, account)];
}

function wakeNamespace({ view, identities }: MeshTriggers, namespace: string): void {
  wakeInTurn(identities, view.identities.byIndex(BY_NAMESPACE, namespace));
}

function wakeAll({ view, identities }: MeshTriggers): void {
  wakeInTurn(identities, view.identities.keys());
}

function meshLabels(record: NamespaceRecord | undefined): readonly (string | undefined)[] {
  return MESH_LABELS.map((label) => record?.labels[label]);
}
