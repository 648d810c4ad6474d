/** What comes of a write of signing keys that the API server did not carry out. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { SigningKey } from '../../domain/signing/keys.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/object.ts';
import {
  describeRefusal,
  judgeAnswer,
  TELL_AFTER_UNANSWERED,
  TERMINATING_MESSAGE,
  unansweredMessage,
} from '../api-answer.ts';
import type { Attempts } from '../identity/attempts.ts';
import type { SigningOutcome } from './outcome.ts';
import type { SigningEvents } from './signing-events.ts';

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
  const answer = judgeAnswer(error, wasContested);
  if (answer === 'passing') return { kind: 'again', error, message: undefined };
  if (answer === 'terminating') {
    const message = TERMINATING_MESSAGE;
    const recheckAtMs = nowMs + TERMINATING_RECHECK_MS;
    return { kind: 'failed', reason: 'NamespaceTerminating', message, keys, recheckAtMs };
  }
  if (answer === 'unanswered') {
    const isLasting = attempts.unanswered(key) >= TELL_AFTER_UNANSWERED;
    return { kind: 'again', error, message: isLasting ? unansweredMessage(error) : undefined };
  }
  const { generation } = identity.metadata;
  const { retryAtMs } = attempts.failed(key, { nowMs, generation, notAfterMs: undefined });
  const message = `Secret ${target.name} with the signing keys could not be written: ${describeRefusal(error)}. It is tried again by itself; a quota, an admission policy or a missing role may be what refuses it.`;
  events.failed(identity, 'IssueFailed', message);
  return { kind: 'failed', reason: 'IssueFailed', message, keys, recheckAtMs: retryAtMs };
}
