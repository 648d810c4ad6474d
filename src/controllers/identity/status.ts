/** What an AgentIdentity says of itself: one pure function from what was found and done to the whole status. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import {
  ENFORCED_REASONS,
  FILES_MOUNTED_REASONS,
  MESH_READY_REASONS,
  type MeshReadyReason,
  QUARANTINED_REASONS,
  READY_REASONS,
  type ReadyReason,
} from '../../api/conditions.ts';
import type { AgentIdentityStatus } from '../../api/generated/agentidentities.ts';
import type { FilesReport } from '../pods/pod-reporter.ts';
import { rfc3339, stampedConditions, type WantedCondition } from '../stamped-conditions.ts';

/** The leaf that is in the Secret; instants in milliseconds since the Unix epoch. */
export interface CertificateReport {
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly renewalTimeMs: number;
  readonly authorityId: string;
  /** What a revocation of it rests on, if that is less than for one of the built-in authority. */
  readonly revocation?: 'identity-only';
}

/** Tries that failed in a row. */
export interface FailureReport {
  readonly attempts: number;
  readonly lastFailureMs: number;
}

/** What became of the mesh objects, and what is seen of the pods behind them. */
export interface MeshReport {
  /** Why the objects are not as they should be, if they are not. */
  readonly problem: { readonly reason: ReadyReason; readonly message: string } | undefined;
  readonly coverage: { readonly reason: MeshReadyReason; readonly message: string };
  readonly isDryRun: boolean;
}

/** A signing key; `sinceMs` is when its state began, milliseconds since the Unix epoch. */
export interface KeyReport {
  readonly kid: string;
  readonly state: 'Next' | 'Active' | 'Retiring';
  readonly sinceMs: number;
}

/**
 * What became of the signing keys. `none`: the identity is not served. `as-before`: nothing new is known, and what status
 * says stays.
 */
export type SigningReport =
  | { readonly kind: 'none'; readonly keys: readonly KeyReport[] }
  | { readonly kind: 'ready'; readonly message: string; readonly keys: readonly KeyReport[] }
  | {
      readonly kind: 'problem';
      readonly reason: ReadyReason;
      readonly message: string;
      readonly keys: readonly KeyReport[];
    }
  | { readonly kind: 'as-before' };

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
  /** `none`: there is no wall to speak of. `as-before`: nothing new is known, and what status says stays. */
  readonly mesh: MeshReport | 'none' | 'as-before';
  readonly files: FilesReport;
  readonly signing: SigningReport;
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
  const certificate = conditionOf('CertificateReady', report);
  const problem =
    report.reason === 'Issued'
      ? (signingProblem(identity, report.signing) ?? meshProblem(identity, report.mesh))
      : undefined;
  const ready = problem === undefined ? report : { ...problem, progress: 'trying' };
  const summary = conditionOf('Ready', ready);
  const wanted: WantedCondition[] = [
    summary,
    certificate,
    ...signingConditions(identity, report),
    quarantinedCondition(report),
    ...meshConditions(identity, report.mesh),
    ...filesConditions(identity, report.files),
  ];
  if (ready.progress === 'trying') wanted.push({ ...summary, type: 'Reconciling', status: 'True' });
  if (ready.progress === 'stalled') wanted.push({ ...summary, type: 'Stalled', status: 'True' });
  return {
    observedGeneration: identity.metadata.generation,
    ...(report.spiffeId === undefined ? {} : { spiffeID: report.spiffeId }),
    certificate: certificateStatus(report),
    ...signingStatus(identity, report.signing),
    conditions: stampedConditions(identity, wanted, nowMs),
  };
}

interface Said {
  readonly reason: ReadyReason;
  readonly message: string;
}

function conditionOf(type: string, { reason, message }: Said): WantedCondition {
  return { type, status: READY_REASONS[reason].ready, reason, message };
}

/** Why the identity is not ready although it has its certificate: what is said of its signing keys. */
function signingProblem(identity: AgentIdentity, signing: SigningReport): Said | undefined {
  if (signing.kind === 'problem') return signing;
  if (signing.kind !== 'as-before') return undefined;
  const before = storedCondition(identity, 'SigningKeyReady');
  if (before?.status === 'True') return undefined;
  return {
    reason: 'IssueFailed',
    message: 'The signing keys are not written yet. It is tried again by itself.',
  };
}

/** Where the identity is not served at all, it says why. */
function signingConditions(
  identity: AgentIdentity,
  { signing, reason, message }: IdentityReport,
): readonly WantedCondition[] {
  const type = 'SigningKeyReady';
  switch (signing.kind) {
    case 'none':
      return [conditionOf(type, { reason, message })];
    case 'ready':
      return [conditionOf(type, { reason: 'Issued', message: signing.message })];
    case 'problem':
      return [conditionOf(type, signing)];
    case 'as-before':
      return [storedCondition(identity, type)].filter((condition) => condition !== undefined);
  }
}

function signingStatus(
  { status }: AgentIdentity,
  signing: SigningReport,
): Pick<AgentIdentityStatus, 'signingKeys'> {
  if (signing.kind === 'as-before') {
    return status?.signingKeys === undefined ? {} : { signingKeys: status.signingKeys };
  }
  const keys = signing.keys.map(({ kid, state, sinceMs }) => ({ kid, state, since: rfc3339(sinceMs) }));
  return keys.length === 0 ? {} : { signingKeys: keys };
}

/** Why the identity is not ready although it has its keys: what is said of its wall. */
function meshProblem(identity: AgentIdentity, mesh: IdentityReport['mesh']): Said | undefined {
  if (mesh === 'none') return undefined;
  if (mesh !== 'as-before') return mesh.problem;
  const before = storedCondition(identity, 'Ready');
  if (before?.reason === 'MeshFailed' || before?.reason === 'MeshPending') {
    return { reason: before.reason, message: before.message };
  }
  const { metadata, status } = identity;
  const isOfThisSpec = status?.observedGeneration === metadata.generation;
  return isOfThisSpec && storedCondition(identity, 'MeshReady') !== undefined ? undefined : NOT_WRITTEN_YET;
}

const NOT_WRITTEN_YET: Said = { reason: 'MeshPending', message: 'The mesh objects are not written yet.' };

function meshConditions(identity: AgentIdentity, mesh: IdentityReport['mesh']): readonly WantedCondition[] {
  if (mesh === 'none') return [];
  if (mesh === 'as-before') {
    return ['MeshReady', 'Enforced']
      .map((type) => storedCondition(identity, type))
      .filter((condition) => condition !== undefined);
  }
  const { coverage, isDryRun } = mesh;
  const enforced = isDryRun ? 'False' : 'True';
  const message = isDryRun
    ? 'Calls to this agent are let through; what would be refused is only recorded.'
    : 'Calls to this agent are refused unless a policy allows them.';
  return [
    { type: 'MeshReady', status: MESH_READY_REASONS[coverage.reason], ...coverage },
    { type: 'Enforced', status: enforced, reason: ENFORCED_REASONS[enforced], message },
  ];
}

function filesConditions(identity: AgentIdentity, files: FilesReport): readonly WantedCondition[] {
  if (files === 'none') return [];
  if (files === 'as-before') {
    return [storedCondition(identity, 'FilesMounted')].filter((condition) => condition !== undefined);
  }
  return [{ type: 'FilesMounted', status: FILES_MOUNTED_REASONS[files.reason], ...files }];
}

function storedCondition({ status }: AgentIdentity, type: string): WantedCondition | undefined {
  const stored = status?.conditions?.find((condition) => condition.type === type);
  if (stored === undefined) return undefined;
  return { type, status: stored.status, reason: stored.reason, message: stored.message };
}

function quarantinedCondition({ quarantine, message }: IdentityReport): WantedCondition {
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
          ...(certificate.revocation === undefined ? {} : { revocation: certificate.revocation }),
        }),
    ...(failure === undefined
      ? {}
      : { failedAttempts: failure.attempts, lastFailureTime: rfc3339(failure.lastFailureMs) }),
  };
}
