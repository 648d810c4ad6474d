/**
 * Finds identities that are gone and whose leaves live on, and revokes these. That one is gone is believed of the API server
 * alone: a cache that misses an identity must not cost it its connections.
 */

import { AGENT_IDENTITY } from '../../api/group.ts';
import { BY_UID, type IdentityView } from '../../cluster/identity-view.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Controller, Reconcile } from '../../kube/controller.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import type { RevokedBook } from './revoked-book.ts';

/** There is one list of work. */
export const REVOKED_LEAVES_KEY = 'revoked-leaves';

/** What the reconciler is made of. */
export interface CrlPorts {
  readonly view: Pick<IdentityView, 'identities'>;
  readonly leaves: LeafBook;
  readonly revoked: RevokedBook;
  readonly client: Pick<KubeClient, 'list'>;
  readonly nowMs: () => number;
  /** What ended before this has ended for sure: nothing is forgotten because of a clock that is wrong. */
  readonly surelyPastMs: () => number;
}

const NOT_YET_RECHECK_MS = 1_000;
const RECHECK_MS = 10 * 60_000;
/** Agents of a namespace go together. */
const GATHER_MS = 100;

/** The key says nothing. Idempotent. */
export function crlReconciler({ view, leaves, revoked, client, nowMs, surelyPastMs }: CrlPorts): Reconcile {
  return async (_key, { signal }) => {
    const now = nowMs();
    if (!view.identities.hasSynced || !leaves.isComplete)
      return { kind: 'recheck', atMs: now + NOT_YET_RECHECK_MS };
    for (const [namespace, uids] of revoked.missing()) {
      const { items } = await client.list(AGENT_IDENTITY, { namespace, metadataOnly: true }, { signal });
      const alive = new Set(items.map(({ metadata }) => metadata.uid));
      revoked.end([...uids].filter((uid) => !alive.has(uid)));
    }
    leaves.prune(surelyPastMs());
    revoked.prune(surelyPastMs());
    return { kind: 'recheck', atMs: now + RECHECK_MS };
  };
}

/** What is connected. */
export interface CrlTriggers extends Pick<CrlPorts, 'view' | 'leaves' | 'revoked'> {
  readonly crl: Pick<Controller, 'enqueue'>;
  readonly identities: Pick<Controller, 'enqueue'>;
}

/**
 * Wakes the list of work when an identity goes, and when a leaf was made for one that is gone; and an identity whose leaf is
 * revoked, since it may hold it still. Call before the caches start.
 */
export function connectCrl({ view, leaves, revoked, crl, identities }: CrlTriggers): void {
  const wake = (): void => crl.enqueue(REVOKED_LEAVES_KEY, { priority: 'urgent', delayMs: GATHER_MS });
  view.identities.onChange((_key, current) => {
    if (current === undefined) wake();
  });
  leaves.onAdded((lines) => {
    if (revoked.missing(lines).size > 0) wake();
  });
  revoked.onChange((revokedLeaves) => {
    for (const { serialHex } of revokedLeaves) {
      const uid = leaves.find(serialHex)?.identityUid ?? '';
      for (const key of view.identities.byIndex(BY_UID, uid)) identities.enqueue(key);
    }
  });
}
