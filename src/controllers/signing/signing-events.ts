/** What is told to people about the signing keys of an identity while it happens, and counted. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { ReadyReason } from '../../api/conditions.ts';
import type { SigningKey } from '../../domain/signing/keys.ts';
import type { KeyReason } from '../../domain/signing/plan.ts';
import type { SigningSecretPlan } from '../../domain/signing/secret-plan.ts';
import { conditionReason, type EventSink, recordAbout } from '../event-sink.ts';

/** Counters of what was done; see docs/reference/metrics.md. */
export interface SigningObserver {
  /** Keys were made. */
  made(reason: KeyReason, count: number): void;
  /** Something around the keys was mended. */
  repaired(what: string): void;
}

/** A plan that was carried out. */
export interface SigningAct {
  readonly secretName: string;
  readonly plan: Extract<SigningSecretPlan, { kind: 'write' }>;
  /** The keys from now on. */
  readonly keys: readonly SigningKey[];
}

/** Events and counters of signing keys. */
export class SigningEvents {
  readonly #sink: EventSink;
  readonly #observer: SigningObserver;

  constructor(sink: EventSink, observer: SigningObserver) {
    this.#sink = sink;
    this.#observer = observer;
  }

  /** After a plan was carried out. */
  acted(identity: AgentIdentity, { secretName, plan, keys }: SigningAct): void {
    const { reason, findings } = plan;
    const made = plan.keys.filter((key) => !('kid' in key)).length;
    if (reason !== undefined && made > 0) this.#observer.made(reason, made);
    for (const { what } of findings) this.#observer.repaired(what);
    const kid = keys.find(({ state }) => state === 'Active')?.kid ?? '';
    if (reason === 'Rotated') {
      const note = `Signing key ${kid} has taken over; the one before stays published until nothing that it signed is good any more`;
      recordAbout(this.#sink, identity, { type: 'Normal', reason: 'KeyRotated', action: 'Rotate', note });
    }
    if (reason === 'Compromised') {
      const note = `Dropped the signing keys that agenttrust.dev/refuse-keys-before refuses, and what they signed with them; signing key ${kid} is new`;
      recordAbout(this.#sink, identity, { type: 'Warning', reason: 'KeyRotated', action: 'Rotate', note });
    }
    const wrong = [
      ...(reason === 'Broken' || (reason === 'First' && hadKeys(identity))
        ? [`a key was missing or broken, and signing key ${kid} signs now`]
        : []),
      ...findings.map(({ message }) => message),
    ];
    if (wrong.length === 0 || reason === 'Compromised') return;
    const note = `Mended Secret ${secretName}: ${wrong.join('; ')}`;
    recordAbout(this.#sink, identity, { type: 'Normal', reason: 'Repaired', action: 'Repair', note });
  }

  /** When the keys cannot be kept; told once, as long as the reason stays. */
  failed(identity: AgentIdentity, reason: ReadyReason, message: string): void {
    if (conditionReason(identity, 'SigningKeyReady') === reason) return;
    const event = reason === 'RepairLoop' || reason === 'IssueFailed' ? reason : 'Refused';
    const note = `${reason}: ${message}`;
    recordAbout(this.#sink, identity, { type: 'Warning', reason: event, action: 'Issue', note });
  }
}

/** Whether a plan mends something that was whole before. */
export function isMendingKeys(
  identity: AgentIdentity,
  { reason, findings }: Extract<SigningSecretPlan, { kind: 'write' }>,
): boolean {
  if (reason === 'Compromised') return false;
  return findings.length > 0 || reason === 'Broken' || (reason === 'First' && hadKeys(identity));
}

function hadKeys(identity: AgentIdentity): boolean {
  return (
    (identity.status?.signingKeys ?? []).length > 0 ||
    // There are none while mending pauses, and status does not name any.
    conditionReason(identity, 'SigningKeyReady') === 'RepairLoop'
  );
}
