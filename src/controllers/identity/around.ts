/**
 * What stands around a leaf: trust bundle, combined PEM, labels, owner. It is kept for as long as the leaf is good, whatever is
 * said of its identity: others trust whom that leaf belongs to, and show leaves of every generation in return.
 */

import { holdsGoodLeaf } from '../../domain/certificate/good-leaf.ts';
import type { CertificatePlan } from '../../domain/certificate/plan.ts';
import { mustRecreate, repairFindings, type SecretWish } from '../../domain/certificate/repair.ts';
import { recordedTemplate, templateProblems } from '../../domain/certificate/secret-template.ts';
import { issuerOfSpec } from '../../domain/issuance/issuer.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';
import { type RepairPorts, repairSecret } from './act.ts';
import type { Context, IdentityPorts } from './context.ts';
import type { IdentityInputs } from './gather.ts';
import { type Holder, isOwn } from './outcome.ts';
import type { SecretRecord } from './secret-record.ts';
import { secretFrame, templateOf } from './wish.ts';

/** What is needed of a reconcile. */
export interface AroundContext extends Holder, Pick<Context, 'key' | 'signal'> {
  readonly ports: Holder['ports'] &
    RepairPorts &
    Pick<IdentityPorts, 'attempts' | 'events' | 'nowMs' | 'rejected' | 'roots'>;
  readonly inputs: Holder['inputs'] & Pick<IdentityInputs, 'authority' | 'secret' | 'outdated'>;
}

/** What came of it. */
export interface Around {
  /** The Secret of the wanted name, as it is now. */
  readonly secret: SecretRecord | undefined;
  /** When to look again, because mending has to wait. */
  readonly recheckAtMs: number | undefined;
  /** What kept one under a former name from being mended: it stops nothing, and is to be thrown when the rest is done. */
  readonly failure: { readonly error: unknown } | undefined;
}

type Repair = Extract<CertificatePlan, { kind: 'repair' }>;

/** Mends it in all Secrets of the identity that hold a good leaf. @throws KubeError about the one of the wanted name. */
export async function keepAround(context: AroundContext): Promise<Around> {
  const { ports, key, inputs } = context;
  const { authority, outdated } = inputs;
  let recheckAtMs: number | undefined;
  let failure: Around['failure'];
  if (authority.kind !== 'ready') return { secret: inputs.secret, recheckAtMs, failure };
  ports.roots.note(authority.bundlePem);
  const keep = async (held: SecretRecord): Promise<SecretRecord> => {
    if (!isKept(context, held)) return held;
    const kept = await keepOne(context, authority, held);
    recheckAtMs ??= kept.recheckAtMs;
    return kept.secret;
  };
  for (const held of outdated) {
    try {
      await keep(held);
    } catch (error) {
      failure ??= { error };
    }
  }
  const secret = inputs.secret && (await keep(inputs.secret));
  if (recheckAtMs === undefined && failure === undefined) ports.attempts.carried(key, authority.bundleSha256);
  return { secret, recheckAtMs, failure };
}

/** Whether it is the identity's, and peers take its leaf. */
function isKept(context: AroundContext, secret: SecretRecord): boolean {
  const { ports, key, inputs } = context;
  const { content } = secret.facts;
  const leaf = content.certificate;
  if (leaf.kind === 'problem' || leaf.notBeforeMs < (ports.attempts.wipedAtMs(key) ?? 0)) return false;
  const standing = {
    isTrusted: leaf.authorityId !== undefined,
    hasIssuer: issuerOfSpec(inputs.identity.spec) !== undefined,
    rejected: ports.rejected,
    nowMs: ports.nowMs(),
  };
  return holdsGoodLeaf(content, standing) && isOwn(context, secret);
}

async function keepOne(
  context: AroundContext,
  authority: ReadyAuthority,
  secret: SecretRecord,
): Promise<{ readonly secret: SecretRecord; readonly recheckAtMs?: number }> {
  const { ports, key, inputs, signal } = context;
  const nowMs = ports.nowMs();
  const frame = wishAround(context, authority, secret);
  const plan = planRepair(frame, secret);
  if (plan === undefined) return { secret };
  const isBundleOld = plan.findings.some(({ what }) => what === 'TrustBundle');
  // Once for each bundle it neither waits nor counts: whoever alters Secrets must not keep a generation from being carried.
  const isRollout = isBundleOld && !ports.attempts.hasCarried(key, authority.bundleSha256);
  const pauseUntilMs = isRollout ? undefined : ports.attempts.pauseUntilMs(key, nowMs);
  if (pauseUntilMs !== undefined) return { secret, recheckAtMs: pauseUntilMs };
  const repaired = await repairSecret(ports, { frame, replace: plan.replace, authority, secret }, signal);
  if (!isRollout) ports.attempts.mended(key, nowMs);
  const isWhole = plan.findings.every(({ what }) => what === 'TrustBundle');
  const isUntouched = isRollout && isWhole && ports.roots.areAll(secret.trustBundle);
  ports.events.mended(inputs.identity, plan, { isRollout: isUntouched });
  return { secret: repaired };
}

/** As the spec says; as the Secret itself says where the spec says something that is not allowed. */
function wishAround(
  { inputs: { identity, resolved } }: AroundContext,
  { bundleSha256 }: ReadyAuthority,
  { metadata, facts }: SecretRecord,
): SecretWish {
  const asked = templateOf(resolved);
  const template = templateProblems(asked).length === 0 ? asked : recordedTemplate(facts);
  return { ...secretFrame(identity, metadata.name, template), trustBundleSha256: bundleSha256 };
}

function planRepair(frame: SecretWish, { facts }: SecretRecord): Repair | undefined {
  const findings = repairFindings(frame, facts);
  if (findings.length === 0) return undefined;
  return { kind: 'repair', findings, replace: mustRecreate(facts) ? 'recreate' : 'update' };
}
