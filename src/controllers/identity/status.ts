/** What an AgentIdentity says of itself: one pure function from what was found and done to the whole status. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import {
  type Condition,
  QUARANTINED_REASONS,
  READY_REASONS,
  type ReadyReason,
} from '../../api/conditions.ts';
import type { AgentIdentityStatus } from '../../api/generated/agentidentities.ts';

/** The leaf that is in the Secret; instants in milliseconds since the Unix epoch. */
export interface CertificateReport {
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly renewalTimeMs: number;
  readonly authorityId: string;
}

/** Tries that failed in a row. */
export interface FailureReport {
  readonly attempts: number;
  readonly lastFailureMs: number;
}

/** Everything the status is made of. */
export interface IdentityReport {
  readonly reason: ReadyReason;
  /** One or two sentences: what is, whose it is, what to do. */
  readonly message: string;
  readonly spiffeId: string | undefined;
  readonly secretName: string;
  /** `unknown`: suspended, and the operator may not write where the Secret is. */
  readonly quarantine: 'yes' | 'no' | 'unknown';
  /** `trying`: the operator goes on by itself; `stalled`: only an edit helps. */
  readonly progress: 'done' | 'trying' | 'stalled';
  readonly certificate: CertificateReport | undefined;
  readonly failure: FailureReport | undefined;
}

/**
 * The status to store, in full. A condition keeps its `lastTransitionTime` as long as its status does.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 */
export function identityStatus(
  identity: AgentIdentity,
  report: IdentityReport,
  nowMs: number,
): AgentIdentityStatus {
  const ready = {
    status: READY_REASONS[report.reason].ready,
    reason: report.reason,
    message: report.message,
  };
  const wanted: Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>[] = [
    { type: 'Ready', ...ready },
    { type: 'CertificateReady', ...ready },
    quarantinedCondition(report),
  ];
  if (report.progress === 'trying') wanted.push({ type: 'Reconciling', ...ready, status: 'True' });
  if (report.progress === 'stalled') wanted.push({ type: 'Stalled', ...ready, status: 'True' });
  return {
    observedGeneration: identity.metadata.generation,
    ...(report.spiffeId === undefined ? {} : { spiffeID: report.spiffeId }),
    certificate: certificateStatus(report),
    conditions: wanted.map((condition) => ({
      ...condition,
      observedGeneration: identity.metadata.generation,
      lastTransitionTime: transitionTime(identity, condition, nowMs),
    })),
  };
}

function quarantinedCondition({
  quarantine,
  message,
}: IdentityReport): Omit<Condition, 'observedGeneration' | 'lastTransitionTime'> {
  const said = {
    yes: ['True', 'spec.suspended is true.'],
    no: ['False', 'The agent is not cut off.'],
    unknown: ['Unknown', `spec.suspended is true, and the Secret could not be wiped: ${message}`],
  } as const;
  const [status, text] = said[quarantine];
  return { type: 'Quarantined', status, reason: QUARANTINED_REASONS[status], message: text };
}

function certificateStatus({
  secretName,
  certificate,
  failure,
}: IdentityReport): NonNullable<AgentIdentityStatus['certificate']> {
  return {
    secretName,
    ...(certificate === undefined
      ? {}
      : {
          serialNumber: certificate.serialHex,
          notBefore: rfc3339(certificate.notBeforeMs),
          notAfter: rfc3339(certificate.notAfterMs),
          renewalTime: rfc3339(certificate.renewalTimeMs),
          authority: certificate.authorityId,
        }),
    ...(failure === undefined
      ? {}
      : { failedAttempts: failure.attempts, lastFailureTime: rfc3339(failure.lastFailureMs) }),
  };
}

function transitionTime(
  { status }: AgentIdentity,
  condition: Pick<Condition, 'type' | 'status'>,
  nowMs: number,
): string {
  const before = status?.conditions?.find(({ type }) => type === condition.type);
  return before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
}

/** RFC 3339 in whole seconds, as meta/v1 Time is written. */
function rfc3339(instantMs: number): string {
  return new Date(Math.floor(instantMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
