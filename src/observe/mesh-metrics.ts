/** The walls around agents as metrics. Labels are few and bounded; no name of an object is one. */

import { Counter, Gauge, type Registry } from 'prom-client';

/** Where it is reported to. */
export interface MeshMetrics {
  /** So many objects were written or deleted. */
  wrote(count: number): void;
  /** What somebody else had changed was put back. */
  repaired(): void;
}

/** What the gauge is read from. */
export interface MeshGauges {
  /** Number of identities by reason of MeshReady. */
  byReason(): ReadonlyMap<string, number>;
}

/** Registers `agent_trust_mesh_*` metrics. Call once for a registry. */
export function meshMetrics(registry: Registry, gauges: MeshGauges): MeshMetrics {
  const registers = [registry];
  new Gauge({
    name: 'agent_trust_mesh_agents',
    help: 'AgentIdentities by the reason of their condition MeshReady.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of gauges.byReason()) this.set({ reason }, count);
    },
  });
  const writes = new Counter({
    name: 'agent_trust_mesh_writes_total',
    help: 'AuthorizationPolicies, PeerAuthentications and NetworkPolicies written or deleted.',
    registers,
  });
  const repairs = new Counter({
    name: 'agent_trust_mesh_repairs_total',
    help: 'Times that mesh objects of an agent were put back after somebody else had changed them.',
    registers,
  });
  return { wrote: (count) => writes.inc(count), repaired: () => repairs.inc() };
}
