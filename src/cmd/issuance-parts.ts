/** The parts of the controller process that have certificates signed by issuers of cert-manager. */

import { AGENT_IDENTITY, GROUP, VERSION } from '../api/group.ts';
import type { AuthorityState } from '../controllers/authority/authority-state.ts';
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
import { IssuanceKeeper } from '../controllers/issuance/keeper.ts';
import { requestReconciler } from '../controllers/issuance/reconcile.ts';
import { Stages } from '../controllers/issuance/stages.ts';
import { joined, withIssuers } from '../controllers/issuance/trust.ts';
import type { VerifyingAuthority } from '../crypto/signing-authority.ts';
import { issuerOfSpec } from '../domain/issuance/issuer.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import type { Component } from '../kube/lifecycle.ts';
import { keyOf } from '../kube/object.ts';
import type { Log } from '../observe/log.ts';
import { untilDone } from './components.ts';
import type { ControllerConfig } from './config.ts';

/** What the trust is made of. */
export interface IssuerTrustOptions {
  readonly config: Pick<ControllerConfig, 'issuers'>;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nowMs: () => number;
  /** Of the built-in authority. */
  readonly authority: () => AuthorityState;
  readonly generations: () => readonly VerifyingAuthority[];
}

/** What is trusted with the issuers of the list. */
export interface IssuerTrust {
  readonly book: IssuerBook;
  readonly authority: () => AuthorityState;
  readonly trusted: () => readonly VerifyingAuthority[];
}

/** What the parts are made of. */
export interface IssuancePartsOptions extends Pick<IssuanceViewOptions, 'cache'> {
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
  /** None without issuers. */
  readonly caches: readonly StartedCache[];
  readonly controllers: readonly Controller[];
  /** Reads what the leader before trusted; before the controllers start. */
  readonly component: Component;
  /** Lets changes wake identities. Call before the caches start. */
  connect(identities: Pick<Controller, 'enqueue'>, wakeAll: () => void): void;
}

/** Builds the trust, which is needed before anything that verifies. */
export function issuerTrust(options: IssuerTrustOptions): IssuerTrust {
  const { config, client: store, namespace, nowMs } = options;
  const book = new IssuerBook({ listed: config.issuers, store, namespace, nowMs });
  const added = withIssuers(book);
  return {
    book,
    authority: () => added(options.authority()),
    trusted: joined(options.generations, () => book.trusted),
  };
}

/** Builds the parts. */
export function issuanceParts(options: IssuancePartsOptions): IssuanceParts {
  const { trust, config, cache, view: cluster, client, namespace: operatorNamespace, nowMs, log } = options;
  const { book } = trust;
  const user = `system:serviceaccount:${operatorNamespace}:agent-trust-controller`;
  const view = new IssuanceView({ cache, operatorNamespace, user });
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
  const isListed = config.issuers.length > 0;
  return {
    port: new IssuanceKeeper({ view, book, desk, operatorNamespace }),
    caches: isListed ? view.caches() : [],
    controllers: isListed ? [requests] : [],
    component: untilDone('issuers', (signal) => book.load(signal), log),
    connect(identities, wakeAll) {
      stages.onLeft((name) => requests.enqueue(name));
      view.onRequest((name) => {
        const key = stages.waitsFor(name);
        if (key === undefined) requests.enqueue(name);
        else identities.enqueue(key);
      });
      view.onReadinessChange(() => {
        for (const { metadata, spec } of cluster.identities.values())
          if (issuerOfSpec(spec) !== undefined) identities.enqueue(keyOf(metadata));
      });
      book.onChange(wakeAll);
    },
  };
}
