/** The runtime layer of the controller process: connections, clients, Lease and events. */

import { GROUP, LEASE_NAME } from '../api/group.ts';
import { KubeClient } from '../kube/client.ts';
import type { Clock, ReferenceClock } from '../kube/clock.ts';
import { SECRET } from '../kube/core-types.ts';
import type { Credentials } from '../kube/credentials.ts';
import { eventPort } from '../kube/event-port.ts';
import { EventRecorder } from '../kube/events.ts';
import { FencedWriter } from '../kube/fenced-writer.ts';
import { LeaderElector } from '../kube/leader.ts';
import { leasePort } from '../kube/lease-port.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import { Transport } from '../kube/transport.ts';
import type { Log } from '../observe/log.ts';
import type { ControllerConfig } from './config.ts';

/** What the parts are made of. */
export interface KubePartsOptions {
  readonly config: ControllerConfig;
  readonly credentials: Credentials;
  readonly log: Log;
  /** The operator's own. */
  readonly namespace: string;
  readonly clock: ReferenceClock;
  /** This machine's clock. */
  readonly machine: Clock;
  readonly metrics: KubeMetrics;
  /** See `OperatorTiming`. */
  readonly timing: { readonly callIdleTimeoutMs?: number };
}

const PRODUCT = { name: 'agent-trust-controller', version: '0.1.0' };
const FIELD_MANAGER = 'agent-trust-controller';
/** Beside those of the workers: caches, events and the ledger. */
const EXTRA_CONNECTIONS = 4;
const MAX_CONNECTIONS = 64;

/** The parts. */
export interface KubeParts {
  readonly transport: Transport;
  /** For reading, and for the Lease. */
  readonly reader: KubeClient;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly writer: FencedWriter;
  readonly elector: LeaderElector;
  readonly recorder: EventRecorder;
}

/** Builds them; nothing is connected yet. */
export function kubeParts({
  config,
  credentials,
  namespace,
  clock,
  machine,
  log,
  metrics,
  timing,
}: KubePartsOptions): KubeParts {
  const transport = new Transport({
    credentials,
    product: PRODUCT,
    connections: Math.min(config.workers + EXTRA_CONNECTIONS, MAX_CONNECTIONS),
    observer: metrics.requests,
    onServerDate: (dateMs) => clock.observeServerDate(dateMs),
    clock: machine,
    ...(timing.callIdleTimeoutMs === undefined ? {} : { callIdleTimeoutMs: timing.callIdleTimeoutMs }),
  });
  const client = { transport, fieldManager: FIELD_MANAGER, keyMaterial: [SECRET] };
  const reader = new KubeClient(client);
  const elector = new LeaderElector({
    lease: leasePort(reader, { namespace, name: LEASE_NAME }),
    leaseDurationMs: config.leaseDurationMs,
    renewDeadlineMs: config.renewDeadlineMs,
    retryPeriodMs: config.retryPeriodMs,
    clock: machine,
    log,
    observer: metrics.leader(LEASE_NAME),
  });
  const fenced = new KubeClient({ ...client, fence: elector });
  const recorder = new EventRecorder({
    port: eventPort(fenced),
    reportingController: `${GROUP}/controller`,
    reportingInstance: elector.identity,
    clock,
    log,
    observer: metrics.events,
  });
  const writer = new FencedWriter({
    transport,
    fence: elector,
    fieldManager: FIELD_MANAGER,
    ownPrefix: `${GROUP}/`,
  });
  return { transport, reader, client: fenced, writer, elector, recorder };
}
