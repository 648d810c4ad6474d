/** What comes of a write of signing keys that the API server did not carry out. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { SigningKey } from '../../domain/signing/keys.ts';
import {
  isKubeError,
  isNamespaceTerminating,
  type KubeError,
  type KubeErrorCode,
} from '../../kube/errors.ts';
import { keyOf } from '../../kube/object.ts';
import type { Attempts } from '../identity/attempts.ts';
import type { SigningOutcome } from './outcome.ts';
import type { SigningEvents } from './signing-events.ts';

/** The API server said no: tried again at the pace of issuing. Everything else goes at the loop's. */
const SAID_NO: readonly KubeErrorCode[] = ['KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN', 'KUBE_INVALID'];
/** Nothing is wrong with the identity, and in a moment all is well. */
const PASSING: readonly KubeErrorCode[] = ['KUBE_ABORTED', 'KUBE_CONFLICT', 'KUBE_LEASE_NOT_HELD'];
/** So many in a row, some three seconds, before status says so. */
const TELL_AFTER_UNANSWERED = 6;
const TERMINATING_RECHECK_MS = 30_000;

/** What was tried, and when. */
export interface FailedWrite {
  readonly identity: AgentIdentity;
  /** The Secret. */
  readonly target: { readonly name: string };
  /** Those that are there. */
  readonly keys: readonly SigningKey[];
  readonly wasContested: boolean;
  readonly nowMs: number;
}

/** Says what it means. @throws whatever is no answer of the API server. */
export function explainSigningFailure(
  { attempts, events }: { readonly attempts: Attempts; readonly events: SigningEvents },
  { identity, target, keys, wasContested, nowMs }: FailedWrite,
  error: unknown,
): SigningOutcome {
  if (!isKubeError(error)) throw error;
  const key = keyOf(identity.metadata);
  const isPassing = PASSING.includes(error.code) || (error.code === 'KUBE_ALREADY_EXISTS' && !wasContested);
  if (isPassing) return { kind: 'again', error, message: undefined };
  if (isNamespaceTerminating(error)) {
    const message = 'The namespace is being deleted and takes no new objects.';
    const recheckAtMs = nowMs + TERMINATING_RECHECK_MS;
    return { kind: 'failed', reason: 'NamespaceTerminating', message, keys, recheckAtMs };
  }
  if (!SAID_NO.includes(error.code)) {
    const isLasting = attempts.unanswered(key) >= TELL_AFTER_UNANSWERED;
    const message = `${error.message}. It is tried again by itself, every few seconds.`;
    return { kind: 'again', error, message: isLasting ? message : undefined };
  }
  const { generation } = identity.metadata;
  const { retryAtMs } = attempts.failed(key, { nowMs, generation, notAfterMs: undefined });
  const message = `Secret ${target.name} with the signing keys could not be written: ${error.message}${fieldsOf(error)}. It is tried again by itself; a quota, an admission policy or a missing role may be what refuses it.`;
  events.failed(identity, 'IssueFailed', message);
  return { kind: 'failed', reason: 'IssueFailed', message, keys, recheckAtMs: retryAtMs };
}

function fieldsOf({ causes }: KubeError): string {
  const fields = causes.map(({ field }) => field).filter((field) => field !== '');
  return fields.length === 0 ? '' : ` (${fields.join(', ')})`;
}
