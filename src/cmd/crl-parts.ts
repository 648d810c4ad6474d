/** The parts of the controller process that know which certificates are revoked, and sign the lists of them. */

import type { Registry } from 'prom-client';
import type { IdentityView } from '../cluster/identity-view.ts';
import { connectCrl, crlReconciler, REVOKED_LEAVES_KEY } from '../controllers/crl/reconcile.ts';
import { rejectedLeaf } from '../controllers/crl/rejected-leaf.ts';
import { RevocationLists } from '../controllers/crl/revocation-lists.ts';
import { RevokedBook } from '../controllers/crl/revoked-book.ts';
import type { LeafBook } from '../controllers/ledger/leaf-book.ts';
import type { Authority } from '../crypto/authority-reader.ts';
import type { CertificateFacts } from '../domain/certificate/facts.ts';
import type { RejectedLeaf } from '../domain/certificate/plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReferenceClock } from '../kube/clock.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import { crlMetrics } from '../observe/crl-metrics.ts';

/** What the parts are made of. */
export interface CrlPartsOptions {
  readonly view: Pick<IdentityView, 'identities'>;
  /** Filled by the ledger. */
  readonly leaves: LeafBook;
  /** All that this process has the keys of. */
  readonly generations: () => readonly Authority[];
  readonly client: Pick<KubeClient, 'list'>;
  readonly registry: Registry;
  readonly clock: ReferenceClock;
  /** What every controller of the process has. */
  readonly controller: (name: string) => Omit<ControllerOptions, 'reconcile' | 'listKeys'>;
}

/** The parts; nothing runs yet. */
export interface CrlParts {
  readonly revoked: RevokedBook;
  readonly lists: RevocationLists;
  readonly controller: Controller;
  /** What is to be said against a leaf in a Secret. */
  readonly rejected: (leaf: CertificateFacts) => RejectedLeaf | undefined;
  /** Before the caches start. */
  connect(identities: Pick<Controller, 'enqueue'>): void;
}

/** Builds them. */
export function crlParts(options: CrlPartsOptions): CrlParts {
  const { view, leaves, generations, client, registry, clock } = options;
  const nowMs = (): number => clock.nowMs();
  const surelyPastMs = (): number => clock.surelyPastMs();
  const revoked = new RevokedBook({ view, leaves, nowMs, surelyPastMs });
  const lists = new RevocationLists({ revoked, generations, nowMs });
  const controller = new Controller({
    ...options.controller('crl'),
    listKeys: () => [REVOKED_LEAVES_KEY],
    reconcile: crlReconciler({ view, leaves, revoked, client, nowMs, surelyPastMs }),
  });
  crlMetrics(registry, { counts: () => lists.counts });
  return {
    revoked,
    lists,
    controller,
    rejected: (leaf) => rejectedLeaf({ leaves, revoked, generations, nowMs }, leaf),
    connect: (identities) => connectCrl({ view, leaves, revoked, crl: controller, identities }),
  };
}
