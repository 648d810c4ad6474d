/** The parts of the controller process that watch the pods of agents. */

import type { Registry } from 'prom-client';
import type { ClusterView } from '../controllers/cluster-view.ts';
import type { EventSink } from '../controllers/event-sink.ts';
import type { MeshView } from '../controllers/mesh/mesh-view.ts';
import { PodEvents } from '../controllers/pods/pod-events.ts';
import { PodReporter } from '../controllers/pods/pod-reporter.ts';
import { podMetrics } from '../observe/pod-metrics.ts';

/** What the parts are made of. */
export interface PodPartsOptions {
  readonly view: ClusterView;
  /** Its pods wake identities already. */
  readonly mesh: MeshView;
  readonly recorder: EventSink;
  readonly registry: Registry;
}

/** Builds what the reconcile of identities asks about pods. */
export function podParts({ view, mesh, recorder, registry }: PodPartsOptions): PodReporter {
  const reporter = new PodReporter({ view, mesh, events: new PodEvents(recorder) });
  podMetrics(registry, { withoutFiles: () => reporter.withoutFiles() });
  return reporter;
}
