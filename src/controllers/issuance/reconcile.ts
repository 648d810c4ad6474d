/**
 * Keeps what is remembered of issuers, and with it whom agents trust. Deletes the requests for which nobody waits: answered, given up, or left by an earlier leader. Their private keys are
 * gone, so nobody could use what they may still bring.
 */

import type { KubeClient } from '../../kube/client.ts';
import type { Reconcile } from '../../kube/controller.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { IssuanceView } from './issuance-view.ts';
import type { IssuerBook } from './issuer-book.ts';
import type { IssuerStore } from './issuer-store.ts';
import { CERTIFICATE_REQUEST } from './kinds.ts';
import type { Stages } from './stages.ts';

/** What the reconciler of trust is made of. */
export interface IssuersPorts {
  readonly book: Pick<IssuerBook, 'keep'>;
  readonly store: Pick<IssuerStore, 'canWrite'>;
  readonly nowMs: () => number;
}

/** The authority wakes it when it can sign. */
const NOT_YET_MS = 5_000;

/** There is one list, so there is one key, whatever it is called. Idempotent. */
export function issuersReconciler({ book, store, nowMs }: IssuersPorts): Reconcile {
  return async (_key, { signal }) => {
    if (!store.canWrite) return { kind: 'recheck', atMs: nowMs() + NOT_YET_MS };
    const nextMs = await book.keep(signal);
    return Number.isFinite(nextMs) ? { kind: 'recheck', atMs: nextMs } : { kind: 'settled' };
  };
}

/** What the reconciler of requests is made of. */
export interface RequestPorts {
  readonly view: Pick<IssuanceView, 'request'>;
  readonly stages: Pick<Stages, 'waitsFor'>;
  /** Its writes need the Lease. */
  readonly client: Pick<KubeClient, 'delete'>;
  readonly operatorNamespace: string;
}

/** The key is the name of a request. Idempotent. */
export function requestReconciler(ports: RequestPorts): Reconcile {
  const { view, stages, client, operatorNamespace: namespace } = ports;
  return async (name, { signal }) => {
    const record = view.request(name);
    if (record === undefined || stages.waitsFor(name) !== undefined) return { kind: 'settled' };
    try {
      await client.delete(CERTIFICATE_REQUEST, { namespace, name, uid: record.uid }, { signal });
    } catch (error) {
      if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
    }
    return { kind: 'settled' };
  };
}
