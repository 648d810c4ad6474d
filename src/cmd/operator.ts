/** The controller process as its parts, connected and in the order of their start. Nothing runs yet. */

import type { Registry } from 'prom-client';
import { AUTHORITY_SECRET_NAME } from '../api/group.ts';
import { AuthorityBook } from '../controllers/authority/authority-book.ts';
import { type AuthorityRecord, authorityRecord } from '../controllers/authority/authority-record.ts';
import type { AuthorityState } from '../controllers/authority/authority-state.ts';
import { authorityReconciler } from '../controllers/authority/reconcile.ts';
import { ClusterView, identityKeys, reasonsOfReady } from '../controllers/cluster-view.ts';
import { Attempts } from '../controllers/identity/attempts.ts';
import { IdentityEvents } from '../controllers/identity/identity-events.ts';
import { KnownContents } from '../controllers/identity/known-contents.ts';
import { LeafSupply } from '../controllers/identity/leaf-supply.ts';
import { identityReconciler } from '../controllers/identity/reconcile.ts';
import { statusReporter } from '../controllers/identity/report.ts';
import type { Secret } from '../controllers/identity/secret.ts';
import type { SecretJudge } from '../controllers/identity/secret-record.ts';
import { IssuanceLedger } from '../controllers/ledger/ledger.ts';
import { agentsWithObjects } from '../controllers/mesh/triggers.ts';
import { connectTriggers, wakeAll } from '../controllers/triggers.ts';
import { Cache } from '../kube/cache.ts';
import { type Clock, ReferenceClock, systemClock } from '../kube/clock.ts';
import {
  controllersComponent,
  electionComponent,
  eventsComponent,
  healthComponent,
} from '../kube/components.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import { SECRET } from '../kube/core-types.ts';
import type { Credentials } from '../kube/credentials.ts';
import type { EventRecorder } from '../kube/events.ts';
import { eventLoopCheck, type HealthCheck, workersCheck } from '../kube/health.ts';
import type { Component } from '../kube/lifecycle.ts';
import { kubeMetrics } from '../kube/metrics.ts';
import type { ObjectMeta } from '../kube/object.ts';
import type { ReflectorTiming } from '../kube/reflector-timing.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { identityMetrics } from '../observe/identity-metrics.ts';
import type { Log } from '../observe/log.ts';
import { bundleParts } from './bundle-parts.ts';
import { cachesComponent, ledgerComponent, transportComponent } from './components.ts';
import type { ControllerConfig } from './config.ts';
import { delegationParts } from './delegation-parts.ts';
import { kubeParts } from './kube-parts.ts';
import { meshParts } from './mesh-parts.ts';
import { podParts } from './pod-parts.ts';
import { signingParts } from './signing-parts.ts';

/** What the process is made of. */
export interface OperatorOptions {
  readonly config: ControllerConfig;
  readonly credentials: Credentials;
  readonly registry: Registry;
  readonly log: Log;
  /** Fails from the moment the process is told to end. */
  readonly stopping: HealthCheck;
  /** This machine's clock. */
  readonly clock?: Clock;
  /** For networks that are better or worse than usual; the defaults fit a cluster. */
  readonly timing?: OperatorTiming;
}

/** After how long a connection that says nothing counts as lost, and how soon lists and watches begin anew. */
export interface OperatorTiming {
  /** See `TransportOptions`. */
  readonly callIdleTimeoutMs?: number;
  /** Of lists and watches; see `DEFAULT_REFLECTOR_TIMING`. */
  readonly reflector?: Partial<ReflectorTiming>;
}

const DEFAULT_OPERATOR_NAMESPACE = 'agent-trust-system';
/** After an outage everything is tried again within this time. */
const BACK_OFF = { baseMs: 100, factor: 2, capMs: 15_000 };
/** What only a change elsewhere can mend is looked at this often: an API server that starts refuses all for a moment. */
const TERMINAL_RETRY_MS = 10_000;
const STUCK_SECONDS = 180;
const LATE_LOOP_MS = 1_000;

/** Builds the parts. They stop in the reverse order. */
export function operatorComponents(options: OperatorOptions): readonly Component[] {
  const { config, credentials, registry, log, stopping, clock: machine = systemClock, timing = {} } = options;
  const namespace = config.operatorNamespace ?? credentials.namespace ?? DEFAULT_OPERATOR_NAMESPACE;
  const clock = new ReferenceClock(machine);
  const metrics = kubeMetrics(registry);
  const kube = kubeParts({ config, credentials, namespace, clock, machine, log, metrics, timing });
  const { reader, client, writer, elector, recorder } = kube;

  const book = new AuthorityBook(() => elector.term === undefined);
  const authority = (): AuthorityState => book.state;
  const known = new KnownContents();
  const judge: SecretJudge = { trusted: () => book.generations, known };
  const cache = { client: reader, clock: machine, log, timing: timing.reflector ?? {} };
  const view = new ClusterView({
    cache,
    namespaces: config.namespaces,
    operatorNamespace: namespace,
    judge,
  });
  const authorityCache = new Cache<AuthorityRecord, Secret>({
    ...cache,
    type: SECRET,
    namespace,
    fieldSelector: `metadata.name=${AUTHORITY_SECRET_NAME}`,
    project: authorityRecord,
  });
  const ledger = new IssuanceLedger({ store: client, namespace, epoch: elector.identity });
  const tell = teller(recorder);
  const common = (
    name: string,
  ): Pick<ControllerOptions, 'name' | 'queue' | 'terminalRetryMs' | 'clock' | 'log' | 'observer'> => ({
    name,
    queue: new WorkQueue({ clock, backOff: BACK_OFF, observer: metrics.queue(name) }),
    terminalRetryMs: TERMINAL_RETRY_MS,
    clock: machine,
    log,
    observer: metrics.controller(name),
  });
  const {
    delegation,
    book: graph,
    controllers: delegationControllers,
  } = delegationParts({
    cache,
    view,
    client,
    recorder,
    registry,
    nowMs: () => clock.nowMs(),
    controller: common,
    config,
  });
  const walls = meshParts({
    cache,
    view,
    delegation,
    book: graph,
    client,
    recorder,
    registry,
    nowMs: () => clock.nowMs(),
    config,
  });
  const observer = identityMetrics(registry, {
    byReason: () => reasonsOfReady(view.identities.values()),
    authorityNotAfterSeconds: () => notAfterSeconds(book.state),
    clockSkewSeconds: () => clock.skewMs() / 1000,
  });
  const signing = signingParts({
    view,
    client,
    writer,
    judge,
    recorder,
    observer,
    nowMs: () => clock.nowMs(),
  });
  const identities = new Controller({
    ...common('agentidentity'),
    workers: config.workers,
    listKeys: () => identityKeys(view).union(agentsWithObjects(walls.mesh)),
    reconcile: identityReconciler({
      view,
      client,
      writer,
      judge,
      known,
      settings: config,
      nowMs: () => clock.nowMs(),
      authority,
      leaves: new LeafSupply(ledger),
      attempts: new Attempts(),
      events: new IdentityEvents(recorder, observer),
      mesh: walls.port,
      pods: podParts({ view, mesh: walls.mesh, recorder, registry }),
      signing: signing.port,
      observe: signing.observe,
      observeDeleted: signing.observeDeleted,
      report: statusReporter({ client, cache: view.identities, nowMs: () => clock.nowMs() }),
    }),
  });
  const {
    bundles,
    revocations,
    cache: revocationCache,
  } = bundleParts({
    cache,
    view,
    delegation,
    book: graph,
    mesh: walls.mesh,
    changes: signing.changes,
    authority,
    client,
    writer,
    registry,
    clock,
    operatorNamespace: namespace,
    config,
    controller: common,
    tell: (metadata, event) => tell('ConfigMap', metadata, event),
  });
  const authorities = new Controller({
    ...common('authority'),
    listKeys: () => [AUTHORITY_SECRET_NAME],
    reconcile: authorityReconciler({
      cache: authorityCache,
      book,
      writer,
      namespace,
      trustDomain: config.trustDomain,
      nowMs: () => clock.nowMs(),
      tell: (metadata, event) => tell('Secret', metadata, event),
    }),
  });
  connectTriggers(view, { identities, bundles });
  walls.connect(identities);
  book.onChange(() => wakeAll(view, { identities, bundles }));
  authorityCache.onChange((_key, record) => {
    book.observe(record);
    authorities.enqueue(AUTHORITY_SECRET_NAME);
  });

  const caches = [
    view.identities,
    view.serviceAccounts,
    ...delegation.caches(),
    revocationCache,
    ...view.caches(),
    ...walls.mesh.caches(),
  ];
  const controllers = [authorities, identities, bundles, revocations, ...delegationControllers];
  return [
    transportComponent(kube.transport),
    healthComponent({
      port: config.httpPort,
      ...(config.httpHost === undefined ? {} : { host: config.httpHost }),
      live: {
        workers: workersCheck(
          () => Math.max(...controllers.map((each) => each.longestRunningSeconds())),
          STUCK_SECONDS,
        ),
        loop: eventLoopCheck(LATE_LOOP_MS),
      },
      ready: {
        stopping,
        caches: () => {
          if (!view.identities.hasSynced) return 'the AgentIdentities are not listed yet';
          return caches.every(({ state }) => state !== 'starting') ? undefined : 'not all listed yet';
        },
      },
      metrics: registry,
      log,
    }),
    cachesComponent('authority cache', [authorityCache]),
    cachesComponent('caches', caches),
    electionComponent(elector),
    eventsComponent(recorder),
    ledgerComponent(ledger, { nowMs: () => clock.nowMs(), log }),
    controllersComponent(controllers),
  ];
}

function notAfterSeconds(state: AuthorityState): number | undefined {
  return state.kind === 'ready' ? state.signing.notAfterMs / 1000 : undefined;
}

/** Makes the function that tells people about an object of the core group. */
function teller(
  recorder: EventRecorder,
): (kind: string, metadata: ObjectMeta, event: { readonly reason: string; readonly note: string }) => void {
  return (kind, { name, namespace = '', uid = '' }, event) => {
    const type = event.reason === 'AuthorityPrepared' ? 'Normal' : 'Warning';
    const regarding = { apiVersion: 'v1', kind, name, namespace, uid };
    recorder.record({ regarding, type, action: 'Reconcile', ...event });
  };
}
