/** What is told to people about an identity while it happens, and counted. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { ReadyReason } from '../../api/conditions.ts';
import type { EventReason } from '../../api/event-reasons.ts';
import type { CertificatePlan, IssueReason } from '../../domain/certificate/plan.ts';
import type { WipeResult } from '../../kube/fenced-writer.ts';
import { conditionReason, type EventSink, recordAbout } from '../event-sink.ts';

/** Counters of what was done; see docs/reference/metrics.md. */
export interface IdentityObserver {
  /** A leaf was written. */
  issued(reason: IssueReason, seconds: number): void;
  /** Something around a leaf was mended. */
  repaired(what: string): void;
  /** A try failed. */
  failed(): void;
  /** A Secret was wiped. */
  wiped(): void;
}

/** A new leaf for these reasons is the ordinary course of things; for the others something was broken. */
const ORDINARY: readonly IssueReason[] = [
  'Revoked',
  'SpecChanged',
  'RefusedByDate',
  'AuthorityRetired',
  'RenewalDue',
];

/** Events and counters of identities. */
export class IdentityEvents {
  readonly #sink: EventSink;
  readonly #observer: IdentityObserver;

  constructor(sink: EventSink, observer: IdentityObserver) {
    this.#sink = sink;
    this.#observer = observer;
  }

  /** After a leaf was written, which took so long. */
  issued(identity: AgentIdentity, plan: Extract<CertificatePlan, { kind: 'issue' }>, seconds: number): void {
    this.#observer.issued(plan.reason, seconds);
    const reason = issueEvent(identity, plan.reason);
    const note = reason === 'Issued' ? 'Issued the certificate' : `New certificate: ${plan.message}`;
    const type = reason === 'UnknownLeaf' ? 'Warning' : 'Normal';
    recordAbout(this.#sink, identity, { type, reason, action: 'Issue', note });
  }

  /** After what stands around a leaf was written; of a new trust bundle for everybody nobody is told. */
  mended(
    identity: AgentIdentity,
    { findings }: Extract<CertificatePlan, { kind: 'repair' }>,
    { isRollout }: { readonly isRollout: boolean },
  ): void {
    for (const { what } of findings) this.#observer.repaired(what);
    if (isRollout) return;
    const note = `Mended the Secret: ${findings.map(({ message }) => message).join('; ')}`;
    recordAbout(this.#sink, identity, { type: 'Normal', reason: 'Repaired', action: 'Repair', note });
  }

  /** When an identity is not served; told once, as long as the reason stays. */
  refused(identity: AgentIdentity, reason: ReadyReason, message: string): void {
    if (conditionReason(identity, 'Ready') === reason) return;
    const event = reason === 'RepairLoop' ? 'RepairLoop' : 'Refused';
    recordAbout(this.#sink, identity, {
      type: 'Warning',
      reason: event,
      action: 'Issue',
      note: `${reason}: ${message}`,
    });
  }

  /** When a try failed; told once in a row of failures. */
  failed(identity: AgentIdentity, note: string): void {
    this.#observer.failed();
    if (conditionReason(identity, 'Ready') === 'IssueFailed') return;
    recordAbout(this.#sink, identity, { type: 'Warning', reason: 'IssueFailed', action: 'Issue', note });
  }

  /** When a Secret whose key may not live on was wiped; `identity` is undefined when it is gone. */
  wiped(identity: AgentIdentity | undefined, secretName: string, result: WipeResult): void {
    if (result.kind !== 'wiped' && result.kind !== 'emptied') return;
    this.#observer.wiped();
    if (identity === undefined) return;
    const note =
      result.kind === 'wiped'
        ? `Emptied and deleted Secret ${secretName}`
        : `Emptied Secret ${secretName}; finalizers of others keep the empty object: ${result.finalizers.join(', ')}`;
    recordAbout(this.#sink, identity, { type: 'Warning', reason: 'Wiped', action: 'Wipe', note });
  }
}

/** Whether a plan mends something that was whole before. */
export function isMending(identity: AgentIdentity, plan: CertificatePlan): boolean {
  if (plan.kind !== 'issue') return plan.kind === 'repair';
  const event = issueEvent(identity, plan.reason);
  return plan.reason === 'SpecChanged' || event === 'Repaired' || event === 'UnknownLeaf';
}

function issueEvent(identity: AgentIdentity, reason: IssueReason): EventReason {
  if (reason === 'UnknownLeaf') return reason;
  if (ORDINARY.includes(reason)) return 'Renewed';
  const hadOne =
    identity.status?.certificate?.serialNumber !== undefined ||
    // There is none while mending pauses, and status does not name one.
    conditionReason(identity, 'CertificateReady') === 'RepairLoop';
  return reason === 'SecretMissing' && !hadOne ? 'Issued' : 'Repaired';
}
