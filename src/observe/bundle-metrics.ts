/** Bundles as metrics. No name of an object is a label. */

import { Counter, Histogram, type Registry } from 'prom-client';

/** Why a bundle was written. */
export type BundleWrite = 'changed' | 'signed' | 'mended';

/** Where bundles report to. */
export interface BundleMetrics {
  /** The contents of one namespace were put together. */
  computed(seconds: number): void;
  wrote(reason: BundleWrite): void;
  tooLarge(): void;
}

/** From what nobody notices to what delays a kill. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.02, 0.05, 0.2, 1];

/** Registers `agent_trust_bundle_*` metrics. Call once for a registry. */
export function bundleMetrics(registry: Registry): BundleMetrics {
  const registers = [registry];
  const computed = new Histogram({
    name: 'agent_trust_bundle_contents_seconds',
    help: 'Time to put the contents of the bundle of one namespace together.',
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const writes = new Counter({
    name: 'agent_trust_bundle_writes_total',
    help: 'Bundles written: changed contents, signed anew before the end, or mended after somebody altered one.',
    labelNames: ['reason'],
    registers,
  });
  const tooLarge = new Counter({
    name: 'agent_trust_bundle_too_large_total',
    help: 'Bundles that were not written because they are too large.',
    registers,
  });
  for (const reason of ['changed', 'signed', 'mended']) writes.inc({ reason }, 0);
  return {
    computed: (seconds) => computed.observe(seconds),
    wrote: (reason) => writes.inc({ reason }),
    tooLarge: () => tooLarge.inc(),
  };
}
