/**
 * The metrics of this layer on a registry of prom-client, under the names of client-go and controller-runtime, so that
 * existing dashboards and alerts work. No label ever carries the name of an object.
 */

import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { ControllerObserver } from './controller-observer.ts';
import type { EventObserver } from './events.ts';
import type { FailureKind } from './failure.ts';
import type { LeaderObserver } from './leader.ts';
import type { QueueGauges, QueueObserver } from './queue-observer.ts';
import type { RequestObserver } from './request-observer.ts';

/** One observer for each part; `name` becomes a label, so it must come from code. */
export interface KubeMetrics {
  readonly requests: RequestObserver;
  readonly events: EventObserver;
  /** For one queue of that name. */
  queue(name: string): QueueObserver;
  /** For one controller of that name. */
  controller(name: string): ControllerObserver;
  /** For one Lease of that name. */
  leader(name: string): LeaderObserver;
}

/** Seconds a request takes: 5 ms to a minute. */
const REQUEST_BUCKETS: number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Seconds in a queue, or in work on a key: 1 ms to a quarter of an hour. */
const QUEUE_BUCKETS: number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 900];

/** Seconds of a reconcile: 5 ms to 2 min, its default time-out. */
const RECONCILE_BUCKETS: number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Registers every metric; once for each registry. */
export function kubeMetrics(registry: Registry): KubeMetrics {
  return {
    requests: requestObserver(registry),
    events: eventObserver(registry),
    queue: queueObservers(registry),
    controller: controllerObservers(registry),
    leader: leaderObservers(registry),
  };
}

function requestObserver(registry: Registry): RequestObserver {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Answers of the API server, by status code, method and host.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const durations = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time of a request to the API server, by verb and host.',
    labelNames: ['verb', 'host'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const retries = new Counter({
    name: 'rest_client_request_retries_total',
    help: 'Requests made again, by the status code that led to it, method and host.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  return {
    requestFinished({ verb, method, code, host, seconds }) {
      requests.inc({ code, method, host });
      durations.observe({ verb, host }, seconds);
    },
    requestRetried: ({ code, method, host }) => retries.inc({ code, method, host }),
  };
}

function eventObserver(registry: Registry): EventObserver {
  const registers = [registry];
  const sent = new Counter({
    name: 'event_recorder_sent_total',
    help: 'Events and updates of their series that the API server took.',
    registers,
  });
  const dropped = new Counter({
    name: 'event_recorder_dropped_total',
    help: 'Events and updates of their series that were given up, by reason: full, spam or failed.',
    labelNames: ['reason'],
    registers,
  });
  return { sent: () => sent.inc(), dropped: (reason) => dropped.inc({ reason }) };
}

function leaderObservers(registry: Registry): KubeMetrics['leader'] {
  const status = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the Lease of that name, else 0.',
    labelNames: ['name'],
    registers: [registry],
  });
  return (name) => ({ leading: (isLeader) => status.set({ name }, isLeader ? 1 : 0) });
}

function queueObservers(registry: Registry): KubeMetrics['queue'] {
  const readGauges = queueGauges(registry);
  const registers = [registry];
  const labelNames = ['name'];
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys added.', labelNames, registers });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys added with a delay, back-off included.',
    labelNames,
    registers,
  });
  const queued = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Time a key waited before it was handed out.',
    labelNames,
    buckets: QUEUE_BUCKETS,
    registers,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time from handing out a key until it was done.',
    labelNames,
    buckets: QUEUE_BUCKETS,
    registers,
  });
  return (name) => ({
    attach: (gauges) => readGauges.set(name, gauges),
    added: () => adds.inc({ name }),
    delayed: () => retries.inc({ name }),
    started: (queuedSeconds) => queued.observe({ name }, queuedSeconds),
    finished: (workSeconds) => worked.observe({ name }, workSeconds),
  });
}

/** Gauges that are read from the queues, by name, when metrics are collected. */
function queueGauges(registry: Registry): Map<string, () => QueueGauges> {
  const queues = new Map<string, () => QueueGauges>();
  const gauge = (name: string, help: string, value: (gauges: QueueGauges) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['name'],
      registers: [registry],
      collect() {
        for (const [queue, read] of queues) this.set({ name: queue }, value(read()));
      },
    });
  };
  gauge('workqueue_depth', 'Keys that wait to be handed out.', ({ depth }) => depth);
  gauge(
    'workqueue_unfinished_work_seconds',
    'Sum of the running times of the keys in flight.',
    ({ unfinishedSeconds }) => unfinishedSeconds,
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'Running time of the oldest key in flight.',
    ({ longestRunningSeconds }) => longestRunningSeconds,
  );
  return queues;
}

function controllerObservers(registry: Registry): KubeMetrics['controller'] {
  const { total, seconds, active, most, errors } = reconcileMetrics(registry);
  const byFailure = failureCounters(registry);
  return (controller) => ({
    attach(workers) {
      most.set({ controller }, workers);
      // Present from the start, so that the first increase is seen as one.
      active.set({ controller }, 0);
      errors.inc({ controller }, 0);
      for (const failures of Object.values(byFailure)) failures?.inc({ controller }, 0);
    },
    reconcileStarted: () => active.inc({ controller }),
    reconcileFinished(reconcile) {
      active.dec({ controller });
      total.inc({ controller, result: reconcile.result });
      seconds.observe({ controller }, reconcile.seconds);
      if (reconcile.result === 'error') errors.inc({ controller });
      if (reconcile.failure !== undefined) byFailure[reconcile.failure]?.inc({ controller });
    },
  });
}

interface ReconcileMetrics {
  readonly total: Counter<'controller' | 'result'>;
  readonly seconds: Histogram<'controller'>;
  readonly active: Gauge<'controller'>;
  readonly most: Gauge<'controller'>;
  readonly errors: Counter<'controller'>;
}

function reconcileMetrics(registry: Registry): ReconcileMetrics {
  const common = { labelNames: ['controller'] as const, registers: [registry] };
  return {
    total: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles, by result: success, requeue_after, requeue, stalled or error.',
      labelNames: ['controller', 'result'],
      registers: [registry],
    }),
    seconds: new Histogram({
      ...common,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of a reconcile.',
      buckets: RECONCILE_BUCKETS,
    }),
    active: new Gauge({
      ...common,
      name: 'controller_runtime_active_workers',
      help: 'Reconciles in flight.',
    }),
    most: new Gauge({
      ...common,
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Reconciles that may be in flight at once.',
    }),
    errors: new Counter({
      ...common,
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed; conflicts are not among them.',
    }),
  };
}

function failureCounters(
  registry: Registry,
): Readonly<Record<FailureKind, Counter<'controller'> | undefined>> {
  const counter = (name: string, help: string): Counter<'controller'> =>
    new Counter({
      name: `controller_runtime_${name}`,
      help,
      labelNames: ['controller'],
      registers: [registry],
    });
  return {
    terminal: counter('terminal_reconcile_errors_total', 'Failures that a retry cannot mend.'),
    bug: counter('reconcile_panics_total', 'Failures that are bugs.'),
    timeout: counter('reconcile_timeouts_total', 'Reconciles that took too long.'),
    retryable: undefined,
    race: undefined,
  };
}
