/** Keeps the status of TokenRevocations true, and deletes those that are over and ask for it. They act through bundles. */

import { TOKEN_REVOCATION } from '../../api/group.ts';
import type { TokenRevocation } from '../../api/token-revocation.ts';
import type { RevocationCache } from '../../cluster/revocation-cache.ts';
import { parseDuration } from '../../domain/certificate/duration.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { WriteStatus } from '../status-writer.ts';
import type { JudgedRevocation, RevocationBook } from './revocation-book.ts';
import { revocationStatus } from './status.ts';

/** What the reconciler is made of. */
export interface RevocationPorts {
  readonly revocations: RevocationCache;
  readonly book: RevocationBook;
  /** Namespaces whose bundle lacks an entry for chains of `namespace` (undefined: all) of this revision. */
  readonly missing: (namespace: string | undefined, revision: number) => readonly string[];
  readonly client: Pick<KubeClient, 'delete'>;
  readonly write: WriteStatus<TokenRevocation>;
  readonly nowMs: () => number;
  /** What was over before this is over for sure: no other object is deleted. */
  readonly surelyPastMs: () => number;
}

/** One that waits for nothing but a clock that can be believed is looked at this often. */
const UNSURE_RECHECK_MS = 60_000;

/** Idempotent; a key is `namespace/name` of a TokenRevocation. */
export function revocationReconciler(ports: RevocationPorts): Reconcile {
  const { revocations, book, write, nowMs, surelyPastMs } = ports;
  return async (key, { signal }) => {
    const revocation = revocations.get(key);
    if (revocation === undefined) return { kind: 'settled' };
    const judged = book.judged(revocation);
    const now = nowMs();
    const deleteAtMs = judged.kind === 'entry' ? deletionMs(judged, revocation) : Number.POSITIVE_INFINITY;
    if (surelyPastMs() >= deleteAtMs) {
      await remove(ports, revocation, signal);
      return { kind: 'settled' };
    }
    const missing =
      judged.kind === 'entry' ? ports.missing(judged.entry.namespace, book.sinceRevision(revocation)) : [];
    await write(revocation, revocationStatus(revocation, { judged, missing, nowMs: now }), signal);
    return outcome(judged, deleteAtMs, now);
  };
}

function outcome(judged: JudgedRevocation, deleteAtMs: number, nowMs: number): Outcome {
  if (judged.kind === 'invalid') return { kind: 'stalled', reason: 'InvalidSpec' };
  if (judged.kind === 'not-governed') return { kind: 'stalled', reason: 'NamespaceNotGoverned' };
  const endMs = judged.entry.until * 1000;
  if (nowMs < endMs) return { kind: 'recheck', atMs: endMs };
  if (!Number.isFinite(deleteAtMs)) return { kind: 'settled' };
  return { kind: 'recheck', atMs: deleteAtMs > nowMs ? deleteAtMs : nowMs + UNSURE_RECHECK_MS };
}

function deletionMs(
  { entry }: Extract<JudgedRevocation, { kind: 'entry' }>,
  { spec: { ttlAfterExpiry } }: TokenRevocation,
): number {
  const ttlMs = ttlAfterExpiry === undefined ? undefined : parseDuration(ttlAfterExpiry);
  return ttlMs === undefined ? Number.POSITIVE_INFINITY : entry.until * 1000 + ttlMs;
}

async function remove(
  { client }: RevocationPorts,
  { metadata: { namespace, name, uid } }: TokenRevocation,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(TOKEN_REVOCATION, { namespace, name, uid }, { signal });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
  }
}
