/** The delegation graph as metrics. Labels are few and bounded; no name of an object is one. */

import { Gauge, Histogram, type Registry } from 'prom-client';

/** Where the graph reports to. */
export interface DelegationMetrics {
  /** The change of one object was carried over into the graph. */
  updated(seconds: number): void;
}

/** What the gauges are read from. */
export interface DelegationGauges {
  /** Number of policies by reason of Ready. */
  policiesByReason(): ReadonlyMap<string, number>;
  /** Number of pairs of agents of which one may delegate something to the other. */
  edges(): number;
}

/** From what nobody notices to what delays a kill. */
const BUCKETS_SECONDS = [0.0001, 0.001, 0.005, 0.02, 0.05, 0.2, 1];

/** Registers `agent_trust_*` metrics. Call once for a registry. */
export function delegationMetrics(registry: Registry, gauges: DelegationGauges): DelegationMetrics {
  const registers = [registry];
  new Gauge({
    name: 'agent_trust_policies',
    help: 'DelegationPolicies by the reason of their condition Ready.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of gauges.policiesByReason()) this.set({ reason }, count);
    },
  });
  new Gauge({
    name: 'agent_trust_delegation_edges',
    help: 'Pairs of agents of which one may delegate something to the other.',
    registers,
    collect() {
      this.set(gauges.edges());
    },
  });
  const updated = new Histogram({
    name: 'agent_trust_delegation_graph_update_seconds',
    help: 'Time to carry the change of one object over into the delegation graph.',
    buckets: BUCKETS_SECONDS,
    registers,
  });
  return { updated: (seconds) => updated.observe(seconds) };
}
