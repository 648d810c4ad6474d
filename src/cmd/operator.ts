/** The controller process as its parts, connected and in the order of their start. Nothing runs yet. */

import type { Registry } from 'prom-client';
import type { AuthorityState } from '../controllers/authority/authority-state.ts';
import { certificateEnds } from '../controllers/authority/coverage.ts';
import { ClusterView, identityKeys, reasonsOfReady } from '../controllers/cluster-view.ts';
import { Attempts } from '../controllers/identity/attempts.ts';
import { IdentityEvents } from '../controllers/identity/identity-events.ts';
import { KnownContents } from '../controllers/identity/known-contents.ts';
import { KnownRoots } from '../controllers/identity/known-roots.ts';
import { LeafSupply } from '../controllers/identity/leaf-supply.ts';
import { identityReconciler } from '../controllers/identity/reconcile.ts';
import { statusReporter } from '../controllers/identity/report.ts';
import type { SecretJudge } from '../controllers/identity/secret-record.ts';
import { LeafBook } from '../controllers/ledger/leaf-book.ts';
import { IssuanceLedger } from '../controllers/ledger/ledger.ts';
import { agentsWithObjects } from '../controllers/mesh/triggers.ts';
import { connectTriggers, wakeAll } from '../controllers/triggers.ts';
import { type Clock, ReferenceClock, systemClock } from '../kube/clock.ts';
import {
  controllersComponent,
  electionComponent,
  eventsComponent,
  healthComponent,
} from '../kube/components.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import type { Credentials } from '../kube/credentials.ts';
import { eventLoopCheck, type HealthCheck, workersCheck } from '../kube/health.ts';
import type { Component } from '../kube/lifecycle.ts';
import { kubeMetrics } from '../kube/metrics.ts';
import type { ReflectorTiming } from '../kube/reflector-timing.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { identityMetrics } from '../observe/identity-metrics.ts';
import type { Log } from '../observe/log.ts';
import { authorityParts } from './authority-parts.ts';
import { bundleParts } from './bundle-parts.ts';
import { cachesComponent, ledgerComponent, transportComponent } from './components.ts';
import type { ControllerConfig } from './config.ts';
import { crlParts } from './crl-parts.ts';
import { delegationParts } from './delegation-parts.ts';
import { issuanceParts, issuerTrust } from './issuance-parts.ts';
import { kubeParts } from './kube-parts.ts';
import { meshParts } from './mesh-parts.ts';
import { podParts } from './pod-parts.ts';
import { signingParts } from './signing-parts.ts';
import { teller } from './teller.ts';

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

  const cache = { client: reader, clock: machine, log, timing: timing.reflector ?? {} };
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
  const leaves = new LeafBook();
  const kept = authorityParts({
    ...{ cache, client, writer, elector, leaves, registry, clock, namespace, config, tell },
    controller: common,
  });
  const { book } = kept;
  const trust = issuerTrust({
    ...{ config, cache, client, writer, leaves, namespace, clock, authority: book },
    tell: (metadata, event) => tell('ConfigMap', metadata, event),
  });
  const authority = (): AuthorityState => book.noted(trust.authority());
  const known = new KnownContents();
  const judge: SecretJudge = { trusted: trust.trusted, known };
  const view = new ClusterView({
    cache,
    namespaces: config.namespaces,
    operatorNamespace: namespace,
    judge,
  });
  const ledger = new IssuanceLedger({
    ...{ store: client, namespace, epoch: elector.identity, leaves },
    nowMs: () => clock.nowMs(),
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
    certificates: () => certificateEnds(view),
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
  const crl = crlParts({
    view,
    leaves,
    generations: () => book.generations,
    client,
    registry,
    clock,
    controller: common,
  });
  const issuance = issuanceParts({
    ...{ trust, config, view, client, ledger, recorder, namespace, log },
    nowMs: () => clock.nowMs(),
    controller: common,
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
      roots: new KnownRoots(),
      leaves: new LeafSupply(kept.guarded(ledger)),
      attempts: new Attempts(),
      rejected: crl.rejected,
      turns: kept.turns,
      events: new IdentityEvents(recorder, observer),
      mesh: walls.port,
      pods: podParts({ view, mesh: walls.mesh, recorder, registry }),
      signing: signing.port,
      issuance: issuance.port,
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
    revoked: crl.revoked,
    lists: crl.lists,
    client,
    writer,
    registry,
    clock,
    operatorNamespace: namespace,
    config,
    controller: common,
    tell: (metadata, event) => tell('ConfigMap', metadata, event),
  });
  const authorities = kept.connect({
    ...{ view, trusted: trust.trusted, rejected: crl.rejected },
    note: () => void authority(),
  });
  connectTriggers(view, { identities, bundles });
  crl.connect(identities);
  walls.connect(identities);
  issuance.connect(identities, book, () => wakeAll(view, { identities, bundles }));
  book.onChange((before) => {
    wakeAll(view, { identities, bundles }, { haveWaited: before.kind !== 'ready' });
  });

  const caches = [
    view.identities,
    view.serviceAccounts,
    ...delegation.caches(),
    revocationCache,
    ...view.caches(),
    ...walls.mesh.caches(),
    ...issuance.caches,
  ];
  const controllers = [
    authorities,
    identities,
    crl.controller,
    bundles,
    revocations,
    ...delegationControllers,
    ...issuance.controllers,
  ];
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
    cachesComponent('authority caches', kept.caches),
    cachesComponent('caches', caches),
    electionComponent(elector),
    eventsComponent(recorder),
    ledgerComponent(ledger, { surelyPastMs: () => clock.surelyPastMs(), log }),
    issuance.component,
    controllersComponent(controllers),
  ];
}

function notAfterSeconds(state: AuthorityState): number | undefined {
  return state.kind === 'ready' ? state.signing.notAfterMs / 1000 : undefined;
}
