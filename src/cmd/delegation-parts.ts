/** The parts of the controller process that keep the delegation graph and the status of what it is made of. */

import type { Registry } from 'prom-client';
import { CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../api/group.ts';
import { DelegationView, type DelegationViewOptions } from '../cluster/delegation-view.ts';
import { GraphBook } from '../cluster/graph-book.ts';
import { type ClusterView, reasonsOfReady } from '../controllers/cluster-view.ts';
import { boundaryReconciler, policyReconciler } from '../controllers/delegation/reconcile.ts';
import { connectDelegation } from '../controllers/delegation/triggers.ts';
import type { EventSink } from '../controllers/event-sink.ts';
import { statusWriter } from '../controllers/status-writer.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import { delegationMetrics } from '../observe/delegation-metrics.ts';

/** What the parts are made of. */
export interface DelegationPartsOptions extends DelegationViewOptions {
  readonly view: ClusterView;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly recorder: EventSink;
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** What every controller of the process has. */
  readonly controller: (name: string) => Omit<ControllerOptions, 'reconcile' | 'listKeys'>;
  readonly config: { readonly boundaryRequired: boolean; readonly workers: number };
}

/** The parts, connected; nothing runs yet. */
export interface DelegationParts {
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  readonly controllers: readonly Controller[];
}

/** Builds them. */
export function delegationParts(options: DelegationPartsOptions): DelegationParts {
  const { view, client, recorder, registry, nowMs, controller, config, cache } = options;
  const delegation = new DelegationView({ cache });
  const book: GraphBook = new GraphBook({
    view,
    delegation,
    boundaryRequired: config.boundaryRequired,
    observer: delegationMetrics(registry, {
      policiesByReason: () => reasonsOfReady(delegation.policies.values()),
      edges: () => book.graph.edgeCount,
    }),
  });
  const policies = new Controller({
    ...controller('delegationpolicy'),
    workers: config.workers,
    listKeys: () => delegation.policies.keys(),
    reconcile: policyReconciler({
      view,
      delegation,
      book,
      write: statusWriter({ client, type: DELEGATION_POLICY, cache: delegation.policies }),
      events: recorder,
      nowMs,
    }),
  });
  const boundaries = new Controller({
    ...controller('capabilityboundary'),
    listKeys: () => delegation.boundaries.keys(),
    reconcile: boundaryReconciler({
      delegation,
      book,
      write: statusWriter({ client, type: CAPABILITY_BOUNDARY, cache: delegation.boundaries }),
      nowMs,
    }),
  });
  connectDelegation({ delegation, book, policies, boundaries });
  return { delegation, book, controllers: [policies, boundaries] };
}
