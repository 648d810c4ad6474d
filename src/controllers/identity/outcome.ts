/** From what came of a reconcile to what status says and when the identity is looked at again. */

import type { ReadyReason } from '../../api/conditions.ts';
import { isOwnSecret } from '../../domain/certificate/ownership.ts';
import type { CertificatePlan } from '../../domain/certificate/plan.ts';
import { buildSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import { isOwnSigningSecret } from '../../domain/signing/secret-plan.ts';
import { signingFacts } from '../signing/signing-record.ts';
import { certificateReport } from './certificate-report.ts';
import type { Context, IdentityPorts, Result } from './context.ts';
import type { IdentityInputs } from './gather.ts';
import { meshReport } from './mesh-report.ts';
import { ownerUids, type SecretRecord } from './secret-record.ts';
import { signingReport } from './signing-report.ts';
import type { IdentityReport } from './status.ts';

/** Only an edit of the identity, or of the operator's settings, helps. */
const STALLED: readonly ReadyReason[] = [
  'DNSNameTaken',
  'InvalidSpec',
  'IssuerDenied',
  'IssuerNotListed',
  'NamespaceNotGoverned',
  'NotServed',
  'ServiceAccountTaken',
];
/** It is as somebody asked for. */
const AS_ASKED: readonly ReadyReason[] = ['Issued', 'Quarantined', 'Deleting'];
/** Nothing announces the end of these. */
const LOOKED_AT_AGAIN: readonly ReadyReason[] = [
  'AuthorityUnavailable',
  'IssuerNotFenced',
  'IssuerUnavailable',
  'NamespaceRoleMissing',
  'SecretConflict',
];
const RECHECK_MS = 10_000;

/** Why an identity is not served. */
export interface Refusal {
  readonly reason: ReadyReason;
  readonly message: string;
  /** Its Secrets were wiped. */
  readonly wipe?: boolean;
}

/** Tells people, and gives the result. */
export function refused(context: Context, { reason, message, wipe = false }: Refusal): Result {
  const { ports, inputs } = context;
  ports.events.refused(inputs.identity, reason, message);
  return {
    report: {
      ...reportOf(context, { reason, message, secret: wipe ? undefined : inputs.secret }),
      signing: signingReport(context, { wipe }),
    },
    outcome: LOOKED_AT_AGAIN.includes(reason)
      ? { kind: 'recheck', atMs: ports.nowMs() + RECHECK_MS }
      : { kind: 'stalled', reason },
  };
}

/** Something undoes what is mended: it is let be until `untilMs`. */
export function paused(context: Context, plan: CertificatePlan, untilMs: number): Result {
  const what = plan.kind === 'repair' ? whatOf(plan) : 'a new certificate';
  const until = new Date(untilMs).toISOString().replace(/\.\d{3}Z/, 'Z');
  const message = `Mended more than six times within an hour, and broken again (${what}). Next try at ${until}. Find who writes Secret ${context.inputs.resolved.secretName}.`;
  const result = refused(context, { reason: 'RepairLoop', message });
  return { ...result, outcome: { kind: 'recheck', atMs: untilMs } };
}

/** What is on the server is not what was sent; it is written again at `retryAtMs`. */
export function altered(context: Context, plan: Repair, retryAtMs: number): Result {
  const { ports, inputs } = context;
  const message = `Secret ${inputs.resolved.secretName} was altered on its way to the server (${whatOf(plan)}). It is tried again by itself; a mutating webhook or policy may be what alters it.`;
  ports.events.failed(inputs.identity, message);
  return {
    report: reportOf(context, { reason: 'IssueFailed', message, secret: inputs.secret }),
    outcome: { kind: 'recheck', atMs: retryAtMs },
  };
}

type Repair = Extract<CertificatePlan, { kind: 'repair' }>;

function whatOf({ findings }: Repair): string {
  return findings.map(({ message }) => message).join('; ');
}

/** Whose Secrets are told apart. */
export interface Holder {
  readonly ports: Pick<IdentityPorts, 'settings' | 'judge'>;
  readonly inputs: Pick<IdentityInputs, 'identity' | 'resolved'> & {
    readonly situation: Pick<IdentityInputs['situation'], 'olderClaimant'>;
  };
}

/** The report; `secret` is what the identity holds now, if it is its own. */
export function reportOf(
  context: Context,
  said: { readonly reason: ReadyReason; readonly message: string; readonly secret: SecretRecord | undefined },
): IdentityReport {
  const { reason, message, secret } = said;
  const { ports, inputs } = context;
  const { identity, resolved } = inputs;
  const { serviceAccountName, secretName, isSuspended } = resolved;
  const { namespace } = identity.metadata;
  const spiffeId = buildSpiffeId({ trustDomain: ports.settings.trustDomain, namespace, serviceAccountName });
  return {
    reason,
    message,
    spiffeId,
    secretName,
    quarantine: !isSuspended ? 'no' : reason === 'Quarantined' ? 'yes' : 'unknown',
    progress: AS_ASKED.includes(reason) ? 'done' : STALLED.includes(reason) ? 'stalled' : 'trying',
    certificate: isOwn(context, secret) ? leafReport(context, secret) : undefined,
    failure: undefined,
    mesh: meshReport(context.mesh),
    files: context.files,
    signing: signingReport(context),
  };
}

function leafReport(
  { ports, inputs }: Context,
  secret: SecretRecord | undefined,
): IdentityReport['certificate'] {
  const { identity, resolved } = inputs;
  const report = certificateReport(secret, identity.metadata.uid, resolved);
  return report !== undefined && ports.issuance.isIssuer(report.authorityId)
    ? { ...report, revocation: 'identity-only' }
    : report;
}

/** Whether a Secret at the place of the signing keys is this identity's. */
export function isOwnKeys({ inputs }: Context, secret: SecretRecord | undefined): boolean {
  return secret !== undefined && isOwnSigningSecret(inputs.identity.metadata.uid, signingFacts(secret));
}

/** Whether a Secret is this identity's: by its word, or by what it holds when it says nothing. */
export function isOwn(holder: Holder, secret: SecretRecord | undefined): boolean {
  const { ports, inputs } = holder;
  const { identity, resolved, situation } = inputs;
  // Two identities on one ServiceAccount have one SPIFFE ID: what the Secret holds speaks for the older one.
  if (secret === undefined || situation.olderClaimant !== undefined) return saysIsOwn(holder, secret);
  const { namespace, uid } = identity.metadata;
  const { serviceAccountName } = resolved;
  const spiffeId =
    buildSpiffeId({ trustDomain: ports.settings.trustDomain, namespace, serviceAccountName }) ?? '';
  // With the CAs of issuers, also of one that the spec named before.
  const trustedAuthorities = ports.judge.trusted();
  return isOwnSecret({ identityUid: uid, profile: { spiffeId }, trustedAuthorities }, secret.facts);
}

/** Whether a Secret is this identity's by its word. */
export function saysIsOwn(
  { inputs: { identity } }: { readonly inputs: Pick<IdentityInputs, 'identity'> },
  secret: SecretRecord | undefined,
): boolean {
  return secret !== undefined && ownerUids(secret).includes(identity.metadata.uid);
}
