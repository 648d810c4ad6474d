/** The webhook process as its parts, connected and in the order of their start. Nothing runs yet. */

import { reviewBoundary } from '../admission/boundary.ts';
import { reviewIdentity } from '../admission/identity.ts';
import type { Known } from '../admission/known.ts';
import { reviewPod } from '../admission/pod.ts';
import { reviewPolicy } from '../admission/policy.ts';
import type { Reviewer } from '../admission/review.ts';
import { DelegationView } from '../cluster/delegation-view.ts';
import { GraphBook } from '../cluster/graph-book.ts';
import { IdentityView } from '../cluster/identity-view.ts';
import { KubeClient } from '../kube/client.ts';
import { type Clock, ReferenceClock, systemClock } from '../kube/clock.ts';
import { controllersComponent, healthComponent } from '../kube/components.ts';
import { eventLoopCheck, workersCheck } from '../kube/health.ts';
import type { Component } from '../kube/lifecycle.ts';
import { kubeMetrics } from '../kube/metrics.ts';
import type { ReflectorTiming } from '../kube/reflector-timing.ts';
import { Transport } from '../kube/transport.ts';
import { admissionMetrics } from '../observe/admission-metrics.ts';
import { admissionComponent } from './admission-component.ts';
import { cachesComponent, transportComponent } from './components.ts';
import type { ProcessOptions } from './run-process.ts';
import { servingParts } from './serving-parts.ts';
import type { WebhookConfig } from './webhook-config.ts';

/** What the process is made of. */
export interface WebhookOptions extends ProcessOptions<WebhookConfig> {
  /** This machine's clock. */
  readonly clock?: Clock;
  /** Of lists and watches, for networks that are better or worse than usual; see `DEFAULT_REFLECTOR_TIMING`. */
  readonly timing?: Partial<ReflectorTiming>;
  /** In place of those that review the kinds; by plural. */
  readonly reviewers?: (known: Known) => Readonly<Record<string, Reviewer>>;
}

/** For reviews that have begun when the process is told to end, the delay before included. */
export const WEBHOOK_GRACE_MS = 15_000;

const PRODUCT = { name: 'agent-trust-webhook', version: '0.1.0' };
const FIELD_MANAGER = 'agent-trust-webhook';
const DEFAULT_OPERATOR_NAMESPACE = 'agent-trust-system';
/** Beside one for each watch. */
const CONNECTIONS = 4;
const STUCK_SECONDS = 180;
const LATE_LOOP_MS = 1_000;

/** Builds the parts. They stop in the reverse order. */
export function webhookComponents(options: WebhookOptions): readonly Component[] {
  const { config, credentials, registry, log, stopping, clock: machine = systemClock, timing = {} } = options;
  const namespace = config.operatorNamespace ?? credentials.namespace ?? DEFAULT_OPERATOR_NAMESPACE;
  const clock = new ReferenceClock(machine);
  const metrics = kubeMetrics(registry);
  const transport = new Transport({
    credentials,
    product: PRODUCT,
    connections: CONNECTIONS,
    observer: metrics.requests,
    onServerDate: (dateMs) => clock.observeServerDate(dateMs),
    clock: machine,
  });
  const cache = {
    client: new KubeClient({ transport, fieldManager: FIELD_MANAGER }),
    clock: machine,
    log,
    timing,
  };
  const serving = servingParts({
    config,
    transport,
    fieldManager: FIELD_MANAGER,
    cache,
    namespace,
    clock,
    metrics,
    log,
  });
  const known = knownOf({ cache, namespace, config });
  const observer = admissionMetrics(registry, {
    certificateNotAfterSeconds: () => notAfterSeconds(serving.book.served?.notAfterMs),
  });
  const { reviewers = reviewersOf } = options;
  return [
    transportComponent(transport),
    healthComponent({
      port: config.httpPort,
      ...(config.httpHost === undefined ? {} : { host: config.httpHost }),
      live: {
        workers: workersCheck(() => serving.controller.longestRunningSeconds(), STUCK_SECONDS),
        loop: eventLoopCheck(LATE_LOOP_MS),
      },
      ready: {
        stopping,
        caches: () =>
          known.book.isComplete ? undefined : `not listed yet: ${known.book.missing.join(', ')}`,
        certificate: serving.check,
      },
      metrics: registry,
      log,
    }),
    cachesComponent('certificate caches', serving.caches),
    cachesComponent('caches', [known.view.identities, ...known.delegation.caches()]),
    controllersComponent([serving.controller]),
    admissionComponent({
      book: serving.book,
      dispatch: { reviewers: reviewers(known), log, observer },
      port: config.webhookPort,
      host: config.webhookHost,
      shutdownDelayMs: config.shutdownDelayMs,
      log,
    }),
  ];
}

function reviewersOf(known: Known): Readonly<Record<string, Reviewer>> {
  return {
    agentidentities: reviewIdentity(known),
    delegationpolicies: reviewPolicy(known),
    capabilityboundaries: reviewBoundary(known),
    pods: reviewPod(known),
  };
}

function knownOf({
  cache,
  namespace,
  config,
}: {
  readonly cache: ConstructorParameters<typeof DelegationView>[0]['cache'];
  readonly namespace: string;
  readonly config: WebhookConfig;
}): Known {
  const { namespaces } = config;
  const view = new IdentityView({ cache, namespaces, operatorNamespace: namespace, keepsStatus: false });
  const delegation = new DelegationView({ cache, keepsStatus: false });
  const book = new GraphBook({ view, delegation, boundaryRequired: config.boundaryRequired });
  return { view, delegation, book };
}

function notAfterSeconds(notAfterMs: number | undefined): number | undefined {
  return notAfterMs === undefined ? undefined : notAfterMs / 1000;
}
