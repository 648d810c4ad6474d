/** Keeps the status of policies and boundaries true. What they grant and bind is in the graph, which needs no write. */

import type { CapabilityBoundary } from '../../api/capability-boundary.ts';
import type { DelegationPolicy } from '../../api/delegation-policy.ts';
import type { DelegationView } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import { judgedPolicy } from '../../cluster/graph-facts.ts';
import type { PolicyId } from '../../domain/delegation/facts.ts';
import { selects } from '../../domain/delegation/label-selector.ts';
import { resolveBoundary } from '../../domain/delegation/resolve-boundary.ts';
import type { Reconcile } from '../../kube/controller.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { EventSink } from '../event-sink.ts';
import type { WriteStatus } from '../status-writer.ts';
import { boundaryStatus } from './boundary-status.ts';
import { tellPolicyChange } from './policy-events.ts';
import { policyStatus } from './policy-status.ts';

/** What the reconciler of policies is made of. */
export interface PolicyPorts {
  readonly view: ClusterView;
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  readonly write: WriteStatus<DelegationPolicy>;
  readonly events: EventSink;
  readonly nowMs: () => number;
}

/** Idempotent; a key is `namespace/name` of a policy. */
export function policyReconciler(ports: PolicyPorts): Reconcile {
  const { view, delegation, book, write, events, nowMs } = ports;
  return async (key, { signal }) => {
    const policy = delegation.policies.get(key);
    if (policy === undefined) return { kind: 'settled' };
    const acceptance = judgedPolicy(view, policy);
    const isJudged = acceptance.kind === 'accepted' && book.isComplete;
    const report = isJudged ? book.graph.policyReport(key as PolicyId) : undefined;
    const status = policyStatus(policy, { acceptance, missing: book.missing, report }, nowMs());
    if (await write(policy, status, signal)) tellPolicyChange(events, policy, status);
    return acceptance.kind === 'refused'
      ? { kind: 'stalled', reason: acceptance.reason }
      : { kind: 'settled' };
  };
}

/** What the reconciler of boundaries is made of. */
export interface BoundaryPorts {
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  readonly write: WriteStatus<CapabilityBoundary>;
  readonly nowMs: () => number;
}

/** Idempotent; a key is the name of a boundary. */
export function boundaryReconciler({ delegation, book, write, nowMs }: BoundaryPorts): Reconcile {
  return async (name, { signal }) => {
    const boundary = delegation.boundaries.get(name);
    if (boundary === undefined) return { kind: 'settled' };
    const { facts, invalidFields } = resolveBoundary(name, boundary.spec);
    const selected = [...delegation.namespaces.values()].filter(({ labels }) =>
      selects(facts.namespaceSelector, labels),
    );
    const situation = { namespaces: selected.length, invalidFields, missing: book.missing };
    await write(boundary, boundaryStatus(boundary, situation, nowMs()), signal);
    return invalidFields.length > 0 ? { kind: 'stalled', reason: 'InvalidSpec' } : { kind: 'settled' };
  };
}
