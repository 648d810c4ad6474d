/**
 * Keeps the authority true: made once, kept as it was, never replaced by surprise.
 *
 * What this process has once signed with stays in memory: a Secret that is deleted or altered while it runs is put
 * back. One that is damaged before anybody has read it is left alone, and nothing is signed until it is mended.
 */

import type { EventReason } from '../../api/event-reasons.ts';
import { AUTHORITY_SECRET_NAME } from '../../api/group.ts';
import { createAuthority } from '../../crypto/authority.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Reconcile } from '../../kube/controller.ts';
import { SECRET } from '../../kube/core-types.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { Secret } from '../identity/secret.ts';
import type { AuthorityBook } from './authority-book.ts';
import {
  type AuthorityRecord,
  authorityRecord,
  authoritySecret,
  isSameAuthority,
  newAuthoritySecret,
} from './authority-record.ts';

/** Life of a generation. Longer than it will be once generations follow each other: docs/decisions/0005. */
const GENERATION_LIFE_MS: number = 365 * 86_400_000;

/** What the reconciler is made of. */
export interface AuthorityPorts {
  /** Of the one Secret. */
  readonly cache: Cache<AuthorityRecord, Secret>;
  readonly book: AuthorityBook;
  readonly writer: FencedWriter;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly nowMs: () => number;
  readonly tell: (
    metadata: ObjectMeta,
    event: { readonly reason: EventReason; readonly note: string },
  ) => void;
}

/** There is one authority, so there is one key, whatever it is called. Idempotent. */
export function authorityReconciler(ports: AuthorityPorts): Reconcile {
  const { book, cache, namespace } = ports;
  const key = keyOf({ namespace, name: AUTHORITY_SECRET_NAME });
  return async (_key, { signal }) => {
    const record = cache.get(key);
    if (record !== undefined && isAsItWas(record, book.generations)) book.adopt(record.generations);
    else if (record === undefined || book.generations.length > 0) {
      book.adopt(await restoreOrExplain(ports, record, signal));
    } else {
      book.refuse(problemMessage(namespace, record.problem ?? ''));
      return { kind: 'stalled', reason: 'AuthorityUnavailable' };
    }
    return { kind: 'settled' };
  };
}

async function restoreOrExplain(
  ports: AuthorityPorts,
  record: AuthorityRecord | undefined,
  signal: AbortSignal,
): Promise<readonly Authority[]> {
  try {
    return await restore(ports, record, signal);
  } catch (error) {
    const { namespace } = ports;
    if (isKubeError(error, 'KUBE_FORBIDDEN', 'KUBE_INVALID')) {
      const message = `Secret ${namespace}/${AUTHORITY_SECRET_NAME} could not be written: ${error.message}. See that Role agent-trust-controller is there and that no quota or policy forbids it; helm upgrade puts the Role back.`;
      ports.book.refuse(message);
    }
    throw error;
  }
}

function isAsItWas(record: AuthorityRecord, inUse: readonly Authority[]): boolean {
  if (record.problem !== undefined) return false;
  return inUse.length === 0 || isSameAuthority(record.generations, inUse);
}

/** Writes what is in use, or makes the first generation. */
async function restore(
  { book, namespace, trustDomain, nowMs, writer, cache, tell }: AuthorityPorts,
  record: AuthorityRecord | undefined,
  signal: AbortSignal,
): Promise<readonly Authority[]> {
  const isFirst = book.generations.length === 0;
  const desired = isFirst
    ? newAuthoritySecret(
        namespace,
        createAuthority({ trustDomain, nowMs: nowMs(), lifeMs: GENERATION_LIFE_MS }),
      )
    : authoritySecret(namespace, book.generations);
  const written = await write(writer, desired, record, signal);
  cache.observe(written);
  tell(
    written.metadata,
    isFirst
      ? { reason: 'AuthorityPrepared', note: 'Made the first generation of the authority' }
      : { reason: 'Repaired', note: 'Put the authority back: its Secret was deleted or altered' },
  );
  return authorityRecord(written).generations;
}

function write(
  writer: FencedWriter,
  desired: Secret,
  record: AuthorityRecord | undefined,
  signal: AbortSignal,
): Promise<Secret> {
  if (record === undefined) return writer.create(SECRET, desired, { signal });
  const replacement = { desired, observed: record.metadata };
  // Written over wherever that is possible: between a delete and a create the key would be in this process only.
  return record.mustRecreate
    ? writer.recreate(SECRET, replacement, { signal })
    : writer.replace(SECRET, replacement, { signal });
}

function problemMessage(namespace: string, problem: string): string {
  return `Secret ${namespace}/${AUTHORITY_SECRET_NAME} is not used: ${problem}. Restore it from a backup; to start anew with another authority, delete it and restart the operator. Either takes deleting ValidatingAdmissionPolicyBinding agent-trust-managed-secrets first; helm upgrade puts that back.`;
}
