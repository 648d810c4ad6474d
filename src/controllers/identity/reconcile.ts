/**
 * Keeps one AgentIdentity true: gather, plan, act, report.
 *
 * flow: what stands in the way is judged first (domain/identity); then the certificate is planned
 * (domain/certificate); then at most one Secret is written, and status once, on every path.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { ReadyReason } from '../../api/conditions.ts';
import { planCertificate } from '../../domain/certificate/plan.ts';
import type { TrustSettings } from '../../domain/certificate/profile.ts';
import { namespaceRoleMissing } from '../../domain/identity/eligibility.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { SECRET } from '../../kube/core-types.ts';
import { isKubeError, isNamespaceTerminating, type KubeErrorCode } from '../../kube/errors.ts';
import type { Key } from '../../kube/object.ts';
import { type ActPorts, issueCertificate, repairSecret, wipeSecret } from './act.ts';
import type { Attempts } from './attempts.ts';
import { certificateReport } from './certificate-report.ts';
import { type GatherPorts, gatherIdentity, type IdentityInputs } from './gather.ts';
import type { IdentityEvents } from './identity-events.ts';
import type { SecretRecord } from './secret-record.ts';
import type { IdentityReport } from './status.ts';
import { certificateWish } from './wish.ts';

/** What the reconciler is made of. */
export interface IdentityPorts extends Omit<GatherPorts, 'contested' | 'client'>, Omit<ActPorts, 'client'> {
  readonly client: GatherPorts['client'] & ActPorts['client'] & Pick<KubeClient, 'listPage'>;
  readonly settings: TrustSettings;
  readonly nowMs: () => number;
  readonly attempts: Attempts;
  readonly events: IdentityEvents;
  /** Writes status when it differs from what is stored. */
  readonly report: (identity: AgentIdentity, report: IdentityReport, signal: AbortSignal) => Promise<void>;
}

/** What came of a reconcile: what to say, and when to look again. */
interface Result {
  readonly report: IdentityReport;
  readonly outcome: Outcome;
}

interface Context {
  readonly ports: IdentityPorts;
  readonly key: Key;
  readonly inputs: IdentityInputs;
  readonly signal: AbortSignal;
}

const NOT_YET_RECHECK_MS = 5_000;
const REFUSED_RECHECK_MS = 10_000;

/** The API server said no to this identity. Everything else is the loop's to repeat: status could not be written. */
const SAID_NO: readonly KubeErrorCode[] = ['KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN', 'KUBE_INVALID'];

/** Only an edit of the identity, or of the operator's settings, helps. */
const STALLED: readonly ReadyReason[] = [
  'InvalidSpec',
  'NamespaceNotGoverned',
  'NotServed',
  'ServiceAccountTaken',
];
/** Nothing announces the end of these. */
const LOOKED_AT_AGAIN: readonly ReadyReason[] = [
  'AuthorityUnavailable',
  'NamespaceRoleMissing',
  'SecretConflict',
];

/** Idempotent; a key says nothing about why it came. */
export function identityReconciler(ports: IdentityPorts): Reconcile {
  const contested = new Set<Key>();
  return async (key, { signal }) => {
    const inputs = await gatherIdentity({ ...ports, contested }, key, signal);
    if (inputs.kind === 'not-yet') return { kind: 'recheck', atMs: ports.nowMs() + NOT_YET_RECHECK_MS };
    if (inputs.kind === 'gone') {
      contested.delete(key);
      ports.attempts.forget(key);
      ports.leaves.settle(key);
      await wipeAll(ports, inputs.orphans, signal);
      return { kind: 'settled' };
    }
    const context = { ports, key, inputs, signal };
    const result = await serve(context).catch((error: unknown) => {
      // The name is taken by something that no cache shows: the next round reads it from the server.
      if (isKubeError(error, 'KUBE_ALREADY_EXISTS')) contested.add(key);
      return failed(context, error);
    });
    if (result.report.reason === 'Issued') contested.delete(key);
    await ports.report(inputs.identity, result.report, signal);
    return result.outcome;
  };
}

async function serve(context: Context): Promise<Result> {
  const { ports, inputs, signal } = context;
  const { eligibility, authority } = inputs;
  await wipeAll(ports, inputs.orphans, signal);
  if (eligibility.kind === 'refused') {
    if (eligibility.wipe) await wipeOwn(context);
    return refused(context, eligibility.reason, eligibility.message);
  }
  if (authority.kind === 'unavailable') return refused(context, 'AuthorityUnavailable', authority.message);
  const lastIssuedAtMs = ports.attempts.lastIssuedAtMs(context.key);
  const wished = certificateWish({ ...inputs, authority, settings: ports.settings, lastIssuedAtMs });
  if (wished.kind === 'invalid') return refused(context, 'InvalidSpec', `${wished.message}.`);
  return keepCertificate(context, { ...wished, authority });
}

type Wished = Extract<ReturnType<typeof certificateWish>, { kind: 'wish' }> & {
  readonly authority: Extract<IdentityInputs['authority'], { kind: 'ready' }>;
};

async function keepCertificate(context: Context, { wish, authority }: Wished): Promise<Result> {
  const { ports, key, inputs, signal } = context;
  const nowMs = ports.nowMs();
  const plan = planCertificate(wish, inputs.secret?.facts, nowMs);
  if (plan.kind === 'refuse') {
    const reason = plan.reason === 'SecretConflict' ? 'SecretConflict' : 'AuthorityUnavailable';
    return refused(context, reason, `${plan.message}.`);
  }
  let secret = inputs.secret;
  if (plan.kind === 'issue') {
    secret = await issueCertificate(ports, { plan, wish, authority, secret }, { nowMs, signal });
    ports.attempts.issued(key, nowMs);
  }
  if (plan.kind === 'repair') secret = await repairSecret(ports, { plan, wish, authority, secret }, signal);
  // Also when nothing was written: an earlier write may have arrived although its answer did not.
  ports.leaves.settle(key);
  await wipeAll(ports, inputs.outdated, signal);
  ports.attempts.succeeded(key);
  ports.events.acted(inputs.identity, plan);
  const certificate = certificateReport(secret, wish);
  return {
    report: {
      ...reportOf(
        inputs,
        'Issued',
        `Secret ${wish.secret.name} holds the certificate of ${wish.profile.spiffeId}.`,
      ),
      spiffeId: wish.profile.spiffeId,
      certificate,
    },
    outcome: {
      kind: 'recheck',
      atMs:
        plan.kind === 'keep' ? plan.recheckAtMs : (certificate?.renewalTimeMs ?? nowMs + NOT_YET_RECHECK_MS),
    },
  };
}

function refused({ ports, inputs }: Context, reason: ReadyReason, message: string): Result {
  ports.events.refused(inputs.identity, reason, message);
  const progress = STALLED.includes(reason) ? 'stalled' : reason === 'Quarantined' ? 'done' : 'trying';
  return {
    report: { ...reportOf(inputs, reason, message), progress },
    outcome: LOOKED_AT_AGAIN.includes(reason)
      ? { kind: 'recheck', atMs: ports.nowMs() + REFUSED_RECHECK_MS }
      : { kind: 'stalled', reason },
  };
}

async function failed(context: Context, error: unknown): Promise<Result> {
  const { ports, key, inputs } = context;
  if (isNamespaceTerminating(error)) {
    return refused(
      context,
      'NamespaceTerminating',
      'The namespace is being deleted and takes no new objects.',
    );
  }
  if (!isKubeError(error, ...SAID_NO)) throw error;
  if (isKubeError(error, 'KUBE_FORBIDDEN') && !(await mayReadSecrets(context))) {
    return refused(context, 'NamespaceRoleMissing', namespaceRoleMissing(inputs.identity.metadata.namespace));
  }
  const leaf = inputs.secret?.facts.content.certificate;
  const { failure, retryAtMs } = ports.attempts.failed(key, {
    nowMs: ports.nowMs(),
    generation: inputs.identity.metadata.generation,
    notAfterMs: leaf?.kind === 'certificate' ? leaf.notAfterMs : undefined,
  });
  const message = `${error.message}. It is tried again by itself.`;
  ports.events.failed(inputs.identity, message);
  return {
    report: { ...reportOf(inputs, 'IssueFailed', message), progress: 'trying', failure },
    outcome: { kind: 'recheck', atMs: retryAtMs },
  };
}

/** A quota and a policy forbid a write as well as a missing role does; only the role forbids reading. */
async function mayReadSecrets({ ports, inputs, signal }: Context): Promise<boolean> {
  const { namespace } = inputs.identity.metadata;
  try {
    await ports.client.listPage(SECRET, { namespace, limit: 1, metadataOnly: true }, { signal });
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_FORBIDDEN')) return false;
    throw error;
  }
}

function reportOf({ resolved }: IdentityInputs, reason: ReadyReason, message: string): IdentityReport {
  return {
    reason,
    message,
    spiffeId: undefined,
    secretName: resolved.secretName,
    isSuspended: resolved.isSuspended,
    progress: 'done',
    certificate: undefined,
    failure: undefined,
  };
}

/** Everything that this identity holds. */
async function wipeOwn({ ports, key, inputs, signal }: Context): Promise<void> {
  const { identity, secret, outdated } = inputs;
  const isOwn = secret !== undefined && isHeldBy(secret, identity.metadata.uid);
  await wipeAll(ports, isOwn ? [secret, ...outdated] : outdated, signal);
  ports.leaves.settle(key);
  if (isOwn || outdated.length > 0) ports.events.wiped(identity);
}

function isHeldBy({ facts }: SecretRecord, uid: string): boolean {
  return facts.ownerUid === uid || facts.ownerReferences.some((owner) => owner.uid === uid);
}

async function wipeAll(
  ports: IdentityPorts,
  secrets: readonly SecretRecord[],
  signal: AbortSignal,
): Promise<void> {
  for (const secret of secrets) await wipeSecret(ports, secret, signal);
}
