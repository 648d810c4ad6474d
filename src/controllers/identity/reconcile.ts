/**
 * Keeps one AgentIdentity true: gather, plan, act, report.
 *
 * flow: what the caches say of the identity brings the mesh objects to what they should be, so that the wall stands before
 * there is a certificate; then the rest is read, signing keys are kept (controllers/signing), and what stands around a good leaf
 * is; what stands in the way of another leaf is judged (domain/identity), the leaf is planned (domain/certificate), its Secret
 * is written, and status once, on every path.
 */

import type { IssuedLeaf } from '../../crypto/leaf.ts';
import {
  type CertificatePlan,
  type CertificateWish,
  planCertificate,
  type RejectedLeaf,
} from '../../domain/certificate/plan.ts';
import { judgeEligibility } from '../../domain/identity/eligibility.ts';
import { dnsNameTaken } from '../../domain/identity/taken-dns-name.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { isKubeError, isUnanswered } from '../../kube/errors.ts';
import type { Key } from '../../kube/object.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';
import type { Signing } from '../issuance/answer.ts';
import type { Burial } from '../mesh/bury.ts';
import type { MeshInput } from '../mesh/mesh-ports.ts';
import type { PodsInput } from '../pods/pod-reporter.ts';
import type { SigningOutcome } from '../signing/outcome.ts';
import { issueCertificate } from './act.ts';
import { keepAround } from './around.ts';
import type { Context, IdentityPorts, Result } from './context.ts';
import { askIssuer, issuerWayOut } from './delegated.ts';
import { explainFailure } from './failure.ts';
import { gatherGone, gatherIdentity, type IdentityInputs, type SeenIdentity, seeIdentity } from './gather.ts';
import { isMending } from './identity-events.ts';
import { altered, paused, refused, reportOf } from './outcome.ts';
import type { SecretRecord } from './secret-record.ts';
import { wipeOrphans, wipeOutdated, wipeOwn } from './wipe.ts';
import { certificateWish } from './wish.ts';

const NOT_YET_RECHECK_MS = 5_000;

/** Idempotent; a key says nothing about why it came. */
export function identityReconciler(ports: IdentityPorts): Reconcile {
  const contested = new Set<Key>();
  const end = async (key: Key, signal: AbortSignal): Promise<Outcome> => {
    const gone = await gatherGone({ ...ports, contested }, key, signal);
    if (gone.kind === 'not-yet') return { kind: 'recheck', atMs: ports.nowMs() + NOT_YET_RECHECK_MS };
    contested.delete(key);
    ports.attempts.forget(key);
    ports.leaves.settle(key);
    ports.issuance.forget(key);
    ports.signing.forget(key);
    ports.pods.forget(key);
    return endOf(ports, { key, orphans: gone.orphans }, signal);
  };
  return async (key, { signal }) => {
    const seen = seeIdentity(ports, key);
    if (seen === undefined) return end(key, signal);
    // The wall waits for nobody: neither for an authority nor for a list of Secrets.
    const mesh = await ports.mesh.keep(meshInput(seen), signal);
    const inputs = await gatherIdentity({ ...ports, contested }, seen, signal);
    if (inputs.kind === 'not-yet') {
      if (mesh.kind === 'unanswered') throw mesh.error;
      return sooner({ kind: 'recheck', atMs: ports.nowMs() + NOT_YET_RECHECK_MS }, mesh.recheckAtMs);
    }
    const files = ports.pods.report(podsInput(inputs));
    const wasContested = contested.has(key);
    const served = { ports, key, inputs, mesh, files, wasContested, signal };
    const outcome = await serveAndReport(served, contested);
    if (mesh.kind === 'unanswered') throw mesh.error;
    return sooner(outcome, mesh.recheckAtMs);
  };
}

/** What is left of an identity that is gone. A key that cannot be taken away does not keep the wall from being closed. */
async function endOf(
  ports: IdentityPorts,
  { key, orphans }: { readonly key: Key; readonly orphans: readonly SecretRecord[] },
  signal: AbortSignal,
): Promise<Outcome> {
  let burial: Burial = 'not-yet';
  try {
    await wipeOrphans(ports, orphans, signal);
  } finally {
    burial = await ports.mesh.bury(key, signal);
  }
  return burial === 'not-yet'
    ? { kind: 'recheck', atMs: ports.nowMs() + NOT_YET_RECHECK_MS }
    : { kind: 'settled' };
}

/** Signing keys and certificate do not wait for each other: what stops the keys is thrown when the rest is done. */
async function serveAndReport(seen: Omit<Context, 'signing'>, contested: Set<Key>): Promise<Outcome> {
  const { ports, key, inputs, signal } = seen;
  let signing: SigningOutcome = { kind: 'untried' };
  let outcome: Outcome;
  try {
    await wipeOrphans(ports, inputs.orphans, signal);
    signing = await keepSigningKeys(seen);
    const result = await serve({ ...seen, signing });
    if (result.report.reason === 'Issued' && signing.kind === 'kept') contested.delete(key);
    const isNews = signing.kind !== 'again' || signing.message !== undefined;
    if (isNews) await ports.report(inputs.identity, result.report, signal);
    outcome = result.outcome;
  } catch (error) {
    if (isAboutUnseen(error)) contested.add(key);
    outcome = await explainFailure({ ...seen, signing }, error);
  }
  if (signing.kind !== 'again')
    return sooner(outcome, 'recheckAtMs' in signing ? signing.recheckAtMs : undefined);
  if (isAboutUnseen(signing.error)) contested.add(key);
  throw signing.error;
}

async function keepSigningKeys({
  ports,
  key,
  inputs,
  wasContested,
  signal,
}: Omit<Context, 'signing'>): Promise<SigningOutcome> {
  if (inputs.eligibility.kind === 'refused') return { kind: 'none' };
  const { identity, resolved, signing: secret } = inputs;
  const wipedAtMs = ports.attempts.wipedAtMs(key);
  return ports.signing.keep({ identity, resolved, secret, wasContested, wipedAtMs }, signal);
}

function meshInput({ identity, resolved, server, situation }: SeenIdentity): MeshInput {
  const { serviceAccountName } = resolved;
  const eligibility = judgeEligibility(situation);
  const refusal = eligibility.kind === 'refused' ? eligibility.reason : undefined;
  return { identity, serviceAccountName, server, refusal };
}

function podsInput({ identity, resolved, eligibility }: IdentityInputs): PodsInput {
  const isQuarantined = eligibility.kind === 'refused' && eligibility.reason === 'Quarantined';
  return { identity, resolved, isQuarantined };
}

/** The outcome, but not later than an instant. */
function sooner(outcome: Outcome, atMs: number | undefined): Outcome {
  if (atMs === undefined) return outcome;
  return { kind: 'recheck', atMs: outcome.kind === 'recheck' ? Math.min(outcome.atMs, atMs) : atMs };
}

/** The server may hold another Secret than the cache shows: the next round reads it from there. */
function isAboutUnseen(error: unknown): boolean {
  return (
    isKubeError(error, 'KUBE_ALREADY_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND') ||
    (isKubeError(error) && error.lost)
  );
}

async function serve(context: Context): Promise<Result> {
  const { inputs } = context;
  const { eligibility } = inputs;
  if (eligibility.kind === 'refused' && eligibility.wipe) {
    await wipeOwn(context);
    return serveLeaf(context);
  }
  // First, whatever becomes of the leaf: what refuses another one, or waits for it, keeps no generation from being carried.
  const { secret, recheckAtMs, failure } = await keepAround(context);
  const { report, outcome } = await serveLeaf({ ...context, inputs: { ...inputs, secret } });
  if (failure !== undefined) throw failure.error;
  return { report, outcome: sooner(outcome, recheckAtMs) };
}

async function serveLeaf(context: Context): Promise<Result> {
  const { ports, key, inputs } = context;
  const { eligibility, authority } = inputs;
  if (eligibility.kind === 'refused') {
    ports.leaves.settle(key);
    ports.issuance.forget(key);
    return refused(context, eligibility);
  }
  if (authority.kind === 'unavailable') {
    return refused(context, { reason: 'AuthorityUnavailable', message: authority.message });
  }
  const signing = ports.issuance.signingOf(inputs.identity);
  if (signing.kind === 'refused') {
    ports.issuance.forget(key);
    return refused(context, signing);
  }
  const wished = certificateWish({
    ...inputs,
    authority: signing.kind === 'issuer' ? { ...authority, ...signing.by } : authority,
    settings: ports.settings,
    lastIssuedAtMs: ports.attempts.lastIssuedAtMs(key),
    refuseLeafsBeforeMs: ports.attempts.wipedAtMs(key),
    rejectedLeaf: rejectedLeaf(context),
  });
  if (wished.kind === 'invalid')
    return refused(context, { reason: 'InvalidSpec', message: `${wished.message}.` });
  const [taken] = inputs.takenDnsNames;
  if (taken !== undefined) return refused(context, { reason: 'DNSNameTaken', message: dnsNameTaken(taken) });
  return keepCertificate(context, { ...wished, authority, signing });
}

function rejectedLeaf({ ports, inputs: { secret } }: Context): RejectedLeaf | undefined {
  const leaf = secret?.facts.content.certificate;
  return leaf?.kind === 'certificate' ? ports.rejected(leaf) : undefined;
}

interface Wished {
  readonly wish: CertificateWish;
  readonly authority: ReadyAuthority;
  readonly signing: Exclude<Signing, { kind: 'refused' }>;
}

async function keepCertificate(context: Context, wished: Wished): Promise<Result> {
  const { ports, key, inputs } = context;
  const { authority, signing } = wished;
  const nowMs = ports.nowMs();
  const wish = inTurn(context, wished.wish, nowMs);
  const plan = planCertificate(wish, inputs.secret?.facts, nowMs);
  if (plan.kind === 'refuse') return withheld(context, plan, signing);
  const pauseUntilMs = isMending(inputs.identity, plan) ? ports.attempts.pauseUntilMs(key, nowMs) : undefined;
  if (pauseUntilMs !== undefined) return paused(context, plan, pauseUntilMs);
  const asked = await askIssuer(context, { wish, signing, plan });
  if (asked.kind === 'result') return asked.result;
  const secret = await carryOut(context, { wish, authority, plan, leaf: asked.leaf, nowMs });
  // Also when nothing was written: an earlier write may have arrived although its answer did not.
  ports.leaves.settle(key);
  ports.issuance.forget(key);
  await wipeOutdated(context);
  ports.attempts.succeeded(key);
  if (signing.kind === 'issuer' && signing.problem !== undefined) return refused(context, signing.problem);
  const next = planCertificate(wish, secret?.facts, nowMs);
  const againAtMs = nowMs + NOT_YET_RECHECK_MS;
  if (next.kind === 'repair') return altered({ ...context, inputs: { ...inputs, secret } }, next, againAtMs);
  const message = `Secret ${wish.secret.name} holds the certificate of ${wish.profile.spiffeId}.`;
  return {
    report: reportOf(context, { reason: 'Issued', message, secret }),
    outcome: { kind: 'recheck', atMs: next.kind === 'keep' ? next.recheckAtMs : againAtMs },
  };
}

/** The wish, not before its turn where nothing but a tainted authority makes the leaf be replaced. */
function inTurn({ ports, key, inputs }: Context, wish: CertificateWish, nowMs: number): CertificateWish {
  const leaf = inputs.secret?.facts.content.certificate;
  const authorityId = leaf?.kind === 'certificate' ? leaf.authorityId : undefined;
  const authority = wish.trustedAuthorities.find(({ id }) => id === authorityId);
  if (authority?.retiring?.tainted !== true) return wish;
  const plan = planCertificate(wish, inputs.secret?.facts, nowMs);
  if (plan.kind !== 'issue' || plan.reason !== 'AuthorityRetired') return wish;
  const replaceFromMs = ports.turns.take(key, nowMs);
  return replaceFromMs === undefined ? wish : { ...wish, replaceFromMs };
}

interface CarryingOut extends Pick<Wished, 'wish' | 'authority'> {
  readonly plan: CertificatePlan;
  /** Of an issuer. */
  readonly leaf: IssuedLeaf | undefined;
  readonly nowMs: number;
}

/** Writes a leaf if one is planned, and gives the Secret as it is then. */
async function carryOut(
  { ports, key, inputs: { identity, secret }, signal }: Context,
  { plan, nowMs, ...write }: CarryingOut,
): Promise<SecretRecord | undefined> {
  if (plan.kind !== 'issue') return secret;
  try {
    const written = await issueCertificate(ports, { ...write, plan, secret }, { nowMs, signal });
    ports.attempts.issued(key, nowMs);
    if (isMending(identity, plan)) ports.attempts.mended(key, nowMs);
    ports.events.issued(identity, plan, Math.max(0, ports.nowMs() - nowMs) / 1000);
    return written;
  } catch (error) {
    // As for a leaf of ours: it may be in the Secret.
    if (isUnanswered(error)) ports.issuance.forget(key);
    throw error;
  }
}

function withheld(
  context: Context,
  plan: Extract<CertificatePlan, { kind: 'refuse' }>,
  signing: Wished['signing'],
): Result {
  if (plan.reason === 'SecretConflict') {
    return refused(context, { reason: 'SecretConflict', message: `${plan.message}.` });
  }
  const wayOut =
    signing.kind === 'issuer'
      ? issuerWayOut(signing.issuer)
      : 'To start another authority, scale the operator to 0, delete Secret agent-trust-ca in its namespace, and scale it up again: every agent then gets a new certificate.';
  return refused(context, { reason: 'AuthorityUnavailable', message: `${plan.message}. ${wayOut}` });
}
