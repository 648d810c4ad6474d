/** The parts of the webhook process that keep its own certificate. */

import { OWN_PREFIX, WEBHOOK_NAME, WEBHOOK_SECRET_NAME } from '../api/group.ts';
import type { Secret } from '../controllers/identity/secret.ts';
import { servingReconciler } from '../controllers/serving/reconcile.ts';
import { ServingBook } from '../controllers/serving/serving-book.ts';
import { type ServingRecord, servingRecord } from '../controllers/serving/serving-record.ts';
import { WebhookTrust } from '../controllers/serving/webhook-trust.ts';
import { servingNames } from '../domain/serving/names.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { Controller } from '../kube/controller.ts';
import { SECRET } from '../kube/core-types.ts';
import { FencedWriter } from '../kube/fenced-writer.ts';
import type { HealthCheck } from '../kube/health.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/object.ts';
import { TokenBucket } from '../kube/token-bucket.ts';
import type { Transport } from '../kube/transport.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import type { WriteFence } from '../kube/write-fence.ts';
import type { Log } from '../observe/log.ts';
import type { RunningCache } from './components.ts';
import type { WebhookConfig } from './webhook-config.ts';

/** What the parts are made of. */
export interface ServingPartsOptions {
  readonly config: Pick<WebhookConfig, 'clusterDomain' | 'servingLifeMs' | 'servingGraceMs'>;
  readonly transport: Transport;
  readonly fieldManager: string;
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  /** The operator's own. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
  readonly log: Log;
}

/** The parts, connected; nothing runs yet. */
export interface ServingParts {
  readonly book: ServingBook;
  readonly caches: readonly RunningCache[];
  readonly controller: Controller;
  /** Whether there is a certificate that the API server takes. */
  readonly check: HealthCheck;
}

const QUEUE = 'serving-certificate';
const BACK_OFF = { baseMs: 50, factor: 2, capMs: 5_000 };
const TERMINAL_RETRY_MS = 5_000;
/** Twenty at once, then one a second: enough for a rotation, and no war with somebody who writes the same field. */
const WRITES = { burst: 20, refillMs: 1_000 };
/** All replicas may write. What keeps them apart is that each write names the state it replaces. */
const NO_LEASE: WriteFence = { assertHeld() {} };

/** Builds them. */
export function servingParts(options: ServingPartsOptions): ServingParts {
  const { config, transport, fieldManager, cache, namespace, clock, metrics, log } = options;
  const client = new KubeClient({ transport, fieldManager, keyMaterial: [SECRET] });
  const names = servingNames(WEBHOOK_NAME, namespace, config.clusterDomain);
  const book = new ServingBook({ clock, names });
  const trust = new WebhookTrust({ cache, client, writes: new TokenBucket(WRITES, clock), log });
  const secrets = new Cache<ServingRecord, Secret>({
    ...cache,
    type: SECRET,
    namespace,
    fieldSelector: `metadata.name=${WEBHOOK_SECRET_NAME}`,
    project: servingRecord,
  });
  const controller = new Controller({
    name: QUEUE,
    queue: new WorkQueue({ clock, backOff: BACK_OFF, observer: metrics.queue(QUEUE) }),
    observer: metrics.controller(QUEUE),
    terminalRetryMs: TERMINAL_RETRY_MS,
    clock,
    log,
    synced: [() => secrets.synced()],
    listKeys: () => [WEBHOOK_SECRET_NAME],
    reconcile: servingReconciler({
      secrets,
      trust,
      book,
      client,
      writer: new FencedWriter({ transport, fence: NO_LEASE, fieldManager, ownPrefix: OWN_PREFIX }),
      namespace,
      names,
      lifeMs: config.servingLifeMs,
      graceMs: config.servingGraceMs,
      nowMs: () => clock.nowMs(),
    }),
  });
  const wake = (): void => controller.enqueue(WEBHOOK_SECRET_NAME);
  secrets.onChange((_key, record) => {
    book.take(record); // at once, whatever the reconcile waits for
    wake();
  });
  for (const each of trust.caches()) {
    each.onChange(wake);
    each.onStateChange(wake);
  }
  return {
    book,
    caches: [secrets, ...trust.caches()],
    controller,
    check() {
      const { served } = book;
      if (served === undefined) return 'there is no certificate yet';
      if (served.notAfterMs <= clock.nowMs()) return 'the certificate has expired';
      return trust.problemOf(served.certificatePem);
    },
  };
}
