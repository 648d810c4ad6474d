/** The pods of agents as metrics. */

import { Gauge, type Registry } from 'prom-client';

/** What the gauge is read from. */
export interface PodGauges {
  /** Number of pods without label or files. */
  withoutFiles(): number;
}

/** Registers `agent_trust_pods_*` metrics. Call once for a registry. */
export function podMetrics(registry: Registry, gauges: PodGauges): void {
  new Gauge({
    name: 'agent_trust_pods_without_files',
    help: 'Pods that run as agents without their label or without a volume with their certificate and signing keys.',
    registers: [registry],
    collect() {
      this.set(gauges.withoutFiles());
    },
  });
}
