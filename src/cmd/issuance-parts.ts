/** The parts of the controller process that have certificates signed by issuers of cert-manager. */

import { AGENT_IDENTITY, GROUP, ISSUERS_NAME, VERSION } from '../api/group.ts';
import type { AuthorityBook } from '../controllers/authority/authority-book.ts';
import type { AuthorityState } from '../controllers/authority/authority-state.ts';
import type { ConfigMap } from '../controllers/bundle/bundle-record.ts';
import type { ClusterView } from '../controllers/cluster-view.ts';
import type { EventSink } from '../controllers/event-sink.ts';
import { Attempts } from '../controllers/identity/attempts.ts';
import type { LedgerCommit } from '../controllers/identity/leaf-supply.ts';
import type { IssuancePort } from '../controllers/issuance/answer.ts';
import { IssuanceDesk } from '../controllers/issuance/desk.ts';
import {
  IssuanceView,
  type IssuanceViewOptions,
  type StartedCache,
} from '../controllers/issuance/issuance-view.ts';
import { IssuerBook } from '../controllers/issuance/issuer-book.ts';
import type { IssuerEvent } from '../controllers/issuance/issuer-events.ts';
import { type IssuersRecord, issuersRecord } from '../controllers/issuance/issuer-state.ts';
import { IssuerStore } from '../controllers/issuance/issuer-store.ts';
import { IssuanceKeeper } from '../controllers/issuance/keeper.ts';
import { issuersReconciler, requestReconciler } from '../controllers/issuance/reconcile.ts';
import { Stages } from '../controllers/issuance/stages.ts';
import { joined, withIssuers } from '../controllers/issuance/trust.ts';
import type { LeafBook } from '../controllers/ledger/leaf-book.ts';
import type { Authority } from '../crypto/authority-reader.ts';
import type { VerifyingAuthority } from '../crypto/signing-authority.ts';
import { issuerOfSpec } from '../domain/issuance/issuer.ts';
import { fenceGraceMs } from '../domain/issuance/trust.ts';
import { Cache } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReferenceClock } from '../kube/clock.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import { CONFIG_MAP } from '../kube/core-types.ts';
import type { FencedWriter } from '../kube/fenced-writer.ts';
import type { Component } from '../kube/lifecycle.ts';
import { keyOf, type ObjectMeta } from '../kube/object.ts';
import type { Log } from '../observe/log.ts';
import { untilDone } from './components.ts';
import type { ControllerConfig } from './config.ts';

/** What the trust is made of. */
export interface IssuerTrustOptions extends Pick<IssuanceViewOptions, 'cache'> {
  readonly config: Pick<ControllerConfig, 'issuers' | 'authority'>;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly writer: FencedWriter;
  readonly leaves: LeafBook;
  readonly namespace: string;
  readonly clock: ReferenceClock;
  /** Of the built-in authority. */
  readonly authority: Pick<AuthorityBook, 'state' | 'generations'>;
  /** Tells people about a ConfigMap. */
  readonly tell: (metadata: ObjectMeta, event: IssuerEvent) => void;
}

/** What is trusted with the issuers of the list. */
export interface IssuerTrust {
  readonly view: IssuanceView;
  readonly stored: Cache<IssuersRecord, ConfigMap>;
  readonly store: IssuerStore;
  readonly book: IssuerBook;
  readonly authority: () => AuthorityState;
  readonly trusted: () => readonly VerifyingAuthority[];
}

/** What the parts are made of. */
export interface IssuancePartsOptions {
  readonly trust: IssuerTrust;
  readonly config: Pick<ControllerConfig, 'issuers' | 'authority'>;
  readonly view: ClusterView;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly ledger: LedgerCommit;
  readonly recorder: EventSink;
  readonly namespace: string;
  readonly nowMs: () => number;
  readonly log: Log;
  /** What every controller of the process has. */
  readonly controller: (name: string) => Omit<ControllerOptions, 'reconcile' | 'listKeys'>;
}

/** The parts; nothing runs yet. */
export interface IssuanceParts {
  /** For the reconcile of identities. */
  readonly port: IssuancePort;
  readonly caches: readonly StartedCache[];
  readonly controllers: readonly Controller[];
  /** Reads what the leader before trusted; before the controllers start. */
  readonly component: Component;
  /** Lets changes wake identities. Call before the caches start. */
  connect(
    identities: Pick<Controller, 'enqueue'>,
    authority: Pick<AuthorityBook, 'onChange'>,
    wakeAll: () => void,
  ): void;
}

/** Builds the trust, which is needed before anything that verifies. */
export function issuerTrust(options: IssuerTrustOptions): IssuerTrust {
  const { config, cache, client, writer, leaves, namespace, clock, authority, tell } = options;
  const user = `system:serviceaccount:${namespace}:agent-trust-controller`;
  const view = new IssuanceView({ cache, operatorNamespace: namespace, user });
  const stored = new Cache<IssuersRecord, ConfigMap>({
    ...cache,
    type: CONFIG_MAP,
    namespace,
    fieldSelector: `metadata.name=${ISSUERS_NAME}`,
    project: issuersRecord,
  });
  const signer = (): Authority | undefined => {
    const { state, generations } = authority;
    return state.kind === 'ready' ? generations.find(({ id }) => id === state.signing.id) : undefined;
  };
  const store = new IssuerStore({ stored, client, writer, signer, namespace });
  const book = new IssuerBook({
    listed: config.issuers,
    store,
    isFenced: (issuer) => view.isFenced(issuer),
    leaves,
    graceMs: fenceGraceMs(config.authority.acceleration),
    nowMs: () => clock.nowMs(),
    isClockTrusted: () => clock.isTrusted,
    tell: (event) => tell(store.metadata, event),
  });
  const added = withIssuers(book);
  return {
    view,
    stored,
    store,
    book,
    authority: () => added(authority.state),
    trusted: joined<VerifyingAuthority>(
      () => authority.generations,
      () => book.trusted,
    ),
  };
}

/** Builds the parts. */
export function issuanceParts(options: IssuancePartsOptions): IssuanceParts {
  const { trust, config, view: cluster, client, namespace: operatorNamespace, nowMs, log } = options;
  const { view, stored, store, book } = trust;
  const stages = new Stages();
  const desk = new IssuanceDesk({
    view,
    book,
    client,
    ledger: options.ledger,
    attempts: new Attempts(),
    stages,
    operatorNamespace,
    acceleration: config.authority.acceleration,
    nowMs,
    tell: ({ identity: { metadata } }, event) => {
      const { name, namespace, uid } = metadata;
      const regarding = {
        apiVersion: `${GROUP}/${VERSION}`,
        kind: AGENT_IDENTITY.kind,
        name,
        namespace,
        uid,
      };
      options.recorder.record({ regarding, type: 'Normal', action: 'Issue', ...event });
    },
  });
  const requests = new Controller({
    ...options.controller('certificaterequest'),
    listKeys: () => view.requestNames(),
    reconcile: requestReconciler({ view, stages, client, operatorNamespace }),
  });
  const issuers = new Controller({
    ...options.controller('issuers'),
    listKeys: () => [ISSUERS_NAME],
    reconcile: issuersReconciler({ book, store, nowMs }),
  });
  const isListed = config.issuers.length > 0;
  return {
    port: new IssuanceKeeper({ view, book, desk, operatorNamespace }),
    // Without issuers there is no right to read the others, and nothing to read.
    caches: isListed ? [stored, ...view.caches()] : [stored],
    controllers: isListed ? [issuers, requests] : [issuers],
    component: untilDone('issuers', (signal) => book.load(signal), log),
    connect(identities, authority, wakeAll) {
      const wakeIssuers = (): void => issuers.enqueue(ISSUERS_NAME);
      stored.onChange(wakeIssuers);
      authority.onChange(wakeIssuers);
      stages.onLeft((name) => requests.enqueue(name));
      view.onRequest((name) => {
        const key = stages.waitsFor(name);
        if (key === undefined) requests.enqueue(name);
        else identities.enqueue(key);
      });
      view.onReadinessChange(() => {
        wakeIssuers();
        for (const { metadata, spec } of cluster.identities.values())
          if (issuerOfSpec(spec) !== undefined) identities.enqueue(keyOf(metadata));
      });
      book.onChange(wakeAll);
    },
  };
}
