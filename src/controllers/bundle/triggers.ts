/** Which bundles have work when something changes: those that name what changed. Events only wake keys. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { DelegationView, NamespaceRecord } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import { identitiesOnAccountOf } from '../../cluster/identity-view.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import type { EdgeId } from '../../domain/delegation/graph.ts';
import { dataPlaneOf } from '../../domain/mesh/resolve-data-plane.ts';
import type { Controller } from '../../kube/controller.ts';
import { splitKey } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { RevokedBook } from '../crl/revoked-book.ts';
import type { RevocationBook } from '../revocation/revocation-book.ts';
import { namespacesToKeep } from '../triggers.ts';
import type { BundleMemory } from './memory.ts';
import type { NamedAgents } from './named-agents.ts';
import type { PodCounts } from './several-pods.ts';
import type { KeySource } from './sources.ts';

/** What is connected. */
export interface BundleTriggers {
  readonly view: ClusterView;
  readonly delegation: Pick<DelegationView, 'namespaces'>;
  readonly book: GraphBook;
  readonly keys: KeySource;
  readonly revocations: RevocationBook;
  /** Leaves that are revoked: all bundles name them. */
  readonly revoked: Pick<RevokedBook, 'onChange'>;
  readonly pods: Pick<PodCounts, 'onChange'>;
  readonly memory: BundleMemory;
  readonly bundles: Pick<Controller, 'enqueue'>;
  /** How long the bundles of other namespaces wait for further agents that end. See {@link ENDED_GATHER_MS}. */
  readonly endedGatherMs: number;
}

/**
 * Where agents come and go all day, each end would otherwise be a write in every namespace of the cluster. An agent that was cut
 * off is not waited with.
 */
export const ENDED_GATHER_MS = 60_000;
/** What belongs together comes together: an apply of many objects, the agents of a rollout. */
const GATHER_MS = 100;
/** A bundle is written so often at most, but for a kill: every write goes to the disks of etcd and to every node. */
const INTERVAL_MS = 2_000;

/** When bundles are looked at: now, soon, or together with whatever else happens until then. */
type Urgency = 'now' | 'soon' | 'gathered';

/** Connects them. Call before the caches start, and after graph, book of revocations and sources are made. */
export function connectBundles(triggers: BundleTriggers): void {
  const { view, delegation, book, keys, revocations, revoked, pods, memory } = triggers;
  const wake = waker(triggers);
  book.onChange(({ edges }) => wake(concernedBundles(memory.named, edges)));
  book.onCompletenessChange(() => wake(namespacesToKeep(view)));
  view.identities.onChange((key, current, previous) => {
    if (isAsBefore(current, previous)) return;
    const identity = current ?? previous;
    const others = identity === undefined ? [] : identitiesOnAccountOf(view, identity);
    const bundles = [key, ...others].flatMap((each) => [...memory.named.bundlesOf(each as AgentId)]);
    const isKill = current?.spec.suspended === true && previous?.spec.suspended !== true;
    wake([splitKey(key).namespace ?? '', ...bundles], isKill ? 'now' : 'soon');
  });
  delegation.namespaces.onChange((namespace, current, previous) => {
    if (isMeshed(current) !== isMeshed(previous)) wake(memory.named.bundlesOfNamespace(namespace));
  });
  keys.onChange((namespace) => wake([namespace, ...memory.named.bundlesOfNamespace(namespace)]));
  revoked.onChange((leaves) => {
    const haveEnded = leaves.every(({ reason }) => reason === 'cessationOfOperation');
    wake(namespacesToKeep(view), haveEnded ? 'gathered' : 'soon');
    wake(leaves.flatMap(({ namespace }) => namespace ?? []));
  });
  pods.onChange((namespace) => wake(namespace === '*' ? namespacesToKeep(view) : [namespace]));
  revocations.onChange((namespace) =>
    wake(
      namespace === undefined
        ? namespacesToKeep(view)
        : [namespace, ...memory.named.bundlesOfNamespace(namespace)],
      'now',
    ),
  );
}

function waker({
  memory,
  bundles,
  endedGatherMs,
}: BundleTriggers): (namespaces: Iterable<string>, urgency?: Urgency) => void {
  return (namespaces, urgency = 'soon') => {
    const gatherMs = urgency === 'gathered' ? endedGatherMs : GATHER_MS;
    for (const namespace of new Set(namespaces)) {
      const delayMs =
        urgency === 'now' ? 0 : Math.max(gatherMs, INTERVAL_MS - memory.sinceWriteMs(namespace));
      bundles.enqueue(namespace, { delayMs, priority: urgency === 'now' ? 'urgent' : 'normal' });
    }
  };
}

/**
 * The bundles that may differ after these edges did: a path that comes or goes with an edge ends where the edge leads, or in
 * a bundle that names that agent already.
 */
export function* concernedBundles(named: NamedAgents, edges: Iterable<EdgeId>): Iterable<string> {
  for (const edge of edges) {
    const [from = '', to = ''] = edge.split('>');
    yield splitKey(from).namespace ?? '';
    yield splitKey(to).namespace ?? '';
    yield* named.bundlesOf(to as AgentId);
  }
}

function isMeshed(namespace: NamespaceRecord | undefined): boolean {
  return dataPlaneOf(namespace?.labels ?? {}, undefined) !== 'none';
}

/** A spec is replaced as a whole, and never changed in place. */
function isAsBefore(current: AgentIdentity | undefined, previous: AgentIdentity | undefined): boolean {
  return (
    current !== undefined &&
    previous !== undefined &&
    current.metadata.generation === previous.metadata.generation &&
    current.metadata.deletionTimestamp === previous.metadata.deletionTimestamp
  );
}
