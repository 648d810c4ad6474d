/**
 * What to do about the Secret of an identity: issue a leaf, mend what is around it, leave it, or refuse. Facts in,
 * decision out: no clock, no cluster, no keys, and nothing is compared with status.
 */

import { leafDeviations } from './deviation.ts';
import { type CertificateFacts, SECRET_KEYS, type SecretFacts } from './facts.ts';
import { conflictMessage, isOwnSecret } from './ownership.ts';
import { BACKDATE_MS, type LeafProfile, leafValidity } from './profile.ts';
import {
  effectiveRenewBeforeMs,
  MIN_RENEWAL_INTERVAL_MS,
  type RenewalInput,
  renewalTimeMs,
  spreadFraction,
} from './renewal.ts';
import { mustRecreate, type RepairFinding, repairFindings, type SecretWish } from './repair.ts';

/** A renewal must make the leaf live at least this much longer. */
const MIN_RENEWAL_GAIN_MS = 60_000;
const SHORT_RECHECK_MS = 30_000;
const MIN_RECHECK_MS = 1_000;

/** An authority whose leaves are accepted; instants in milliseconds since the Unix epoch. */
export interface AuthorityFacts {
  readonly id: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Set when its leaves are to be replaced: spread over half of renewBefore, or over `spreadMs` when it is tainted. */
  readonly retiring:
    | { readonly sinceMs: number; readonly tainted: boolean; readonly spreadMs?: number | undefined }
    | undefined;
  /** Of the one that signs: minutes that protect the operator from itself are divided by it; 1 by default. */
  readonly acceleration?: number | undefined;
}

/** What an identity must have. */
export interface CertificateWish {
  readonly identityUid: string;
  readonly profile: LeafProfile;
  /** `spec.certificate.renewBefore`, milliseconds; `undefined` is a third of the duration. */
  readonly renewBeforeMs: number | undefined;
  /** Leaves that begin earlier are refused everywhere: set by a kill or by a person. */
  readonly refuseLeafsBeforeMs: number | undefined;
  /** A leaf that is not to be used although a trusted authority has signed it; absent when that of the Secret is none. */
  readonly rejectedLeaf?: RejectedLeaf | undefined;
  /** A person asks for a new leaf in place of those issued earlier. */
  readonly renewLeafsBeforeMs: number | undefined;
  /** When this identity last got a leaf, as far as this process knows. */
  readonly lastIssuedAtMs: number | undefined;
  /** A leaf of a tainted authority is not replaced for that before; absent: it is when its time has come. */
  readonly replaceFromMs?: number | undefined;
  readonly signingAuthority: AuthorityFacts;
  /** All whose leaves this identity may have, the signing one among them. */
  readonly trustedAuthorities: readonly AuthorityFacts[];
  readonly secret: SecretWish;
}

/** What a ledger and the lists of revoked leaves have against a leaf. */
export interface RejectedLeaf {
  readonly serialHex: string;
  /** `unknown`: nobody has recorded it, so somebody else holds the authority's key. */
  readonly because: 'unknown' | 'revoked';
}

/** Why a leaf is issued, in the order in which the reasons are looked for. */
export type IssueReason =
  | 'SecretMissing'
  | 'DataMissing'
  | 'KeyMismatch'
  | 'UntrustedAuthority'
  | 'UnknownLeaf'
  | 'Revoked'
  | 'SpecChanged'
  | 'RefusedByDate'
  | 'AuthorityRetired'
  | 'RenewalDue';

/** How the Secret is written: made, overwritten, or deleted and made anew because a write cannot change it. */
export type Replacement = 'create' | 'update' | 'recreate';

/** The decision. `message` is a sentence for an event or a condition, without full stop. */
export type CertificatePlan =
  | { readonly kind: 'keep'; readonly recheckAtMs: number }
  | {
      readonly kind: 'issue';
      readonly reason: IssueReason;
      readonly message: string;
      readonly replace: Replacement;
    }
  | {
      readonly kind: 'repair';
      readonly findings: readonly RepairFinding[];
      readonly replace: Exclude<Replacement, 'create'>;
    }
  | {
      readonly kind: 'refuse';
      readonly reason: 'SecretConflict' | 'AuthorityExpiring' | 'NotYetValid';
      readonly message: string;
    };

type Cause = Pick<Extract<CertificatePlan, { kind: 'issue' }>, 'reason' | 'message'>;
type LeafCheck = (wish: CertificateWish, leaf: CertificateFacts, nowMs: number) => string | undefined;

/** The reasons that need a leaf that can be read, in order: the first found is the one reported. */
const LEAF_CHECKS: readonly (readonly [IssueReason, LeafCheck])[] = [
  ['UntrustedAuthority', untrustedAuthority],
  ['UnknownLeaf', unknownLeaf],
  ['Revoked', revoked],
  ['SpecChanged', specChanged],
  ['RefusedByDate', refusedByDate],
  ['AuthorityRetired', authorityRetired],
  ['RenewalDue', renewalDue],
];

/**
 * Decides what to do about one identity's Secret at one instant.
 *
 * @param observed The Secret with the name of the wish, or `undefined` when there is none.
 * @param nowMs Milliseconds since the Unix epoch.
 * @returns
 *   - `issue`: a new key and leaf; the whole Secret is written, so other findings are mended with it.
 *   - `repair`: the same leaf and key, written again with everything else as it should be.
 *   - `keep`: ask again at `recheckAtMs`, which is later than `nowMs`.
 *   - `refuse` `SecretConflict`: the Secret is not this identity's; it is left alone.
 *   - `refuse` `AuthorityExpiring` or `NotYetValid`: a leaf is needed and none can be signed now.
 *
 * Errors: none. Every well-typed input yields a plan.
 */
export function planCertificate(
  wish: CertificateWish,
  observed: SecretFacts | undefined,
  nowMs: number,
): CertificatePlan {
  if (observed === undefined) {
    const cause: Cause = { reason: 'SecretMissing', message: 'the Secret did not exist' };
    return issueUnlessRefused(wish, { ...cause, replace: 'create' }, nowMs);
  }
  if (!isOwnSecret(wish, observed)) {
    return { kind: 'refuse', reason: 'SecretConflict', message: conflictMessage(wish.secret, observed) };
  }

  const replace = mustRecreate(observed) ? 'recreate' : 'update';
  const cause = issueCause(wish, observed, nowMs);
  if (cause !== undefined) return issueUnlessRefused(wish, { ...cause, replace }, nowMs);
  const findings = repairFindings(wish.secret, observed);
  if (findings.length > 0) return { kind: 'repair', findings, replace };
  return { kind: 'keep', recheckAtMs: recheckAtMs(wish, observed, nowMs) };
}

function issueCause(wish: CertificateWish, { content }: SecretFacts, nowMs: number): Cause | undefined {
  const { certificate: leaf, privateKey, keyMatches } = content;
  if (leaf.kind === 'problem') return dataMissing(SECRET_KEYS.certificate, leaf.problem);
  if (privateKey.kind === 'problem') return dataMissing(SECRET_KEYS.privateKey, privateKey.problem);
  if (!keyMatches) return { reason: 'KeyMismatch', message: 'tls.key did not belong to tls.crt' };
  for (const [reason, check] of LEAF_CHECKS) {
    const message = check(wish, leaf, nowMs);
    if (message !== undefined) return { reason, message };
  }
  return undefined;
}

function dataMissing(key: string, problem: string): Cause {
  return { reason: 'DataMissing', message: `${key} ${problem}` };
}

function untrustedAuthority(wish: CertificateWish, leaf: CertificateFacts): string | undefined {
  return authorityOf(wish, leaf) === undefined ? 'tls.crt was not signed by a trusted authority' : undefined;
}

function unknownLeaf({ rejectedLeaf }: CertificateWish, { serialHex }: CertificateFacts): string | undefined {
  const isIt = rejectedLeaf?.because === 'unknown' && rejectedLeaf.serialHex === serialHex;
  return isIt ? `tls.crt has serial number ${serialHex}, which the issuance ledger does not know` : undefined;
}

function revoked({ rejectedLeaf }: CertificateWish, { serialHex }: CertificateFacts): string | undefined {
  const isIt = rejectedLeaf?.because === 'revoked' && rejectedLeaf.serialHex === serialHex;
  return isIt ? `tls.crt has serial number ${serialHex}, which is revoked` : undefined;
}

function specChanged(wish: CertificateWish, leaf: CertificateFacts): string | undefined {
  const endMs = authorityOf(wish, leaf)?.notAfterMs ?? 0;
  const deviations = leafDeviations(wish.profile, leaf, endMs);
  return deviations.length === 0 ? undefined : `tls.crt differed from the spec: ${deviations.join(', ')}`;
}

function refusedByDate({ refuseLeafsBeforeMs }: CertificateWish, leaf: CertificateFacts): string | undefined {
  if (refuseLeafsBeforeMs === undefined || leaf.notBeforeMs >= refuseLeafsBeforeMs) return undefined;
  return `tls.crt was older than ${new Date(refuseLeafsBeforeMs).toISOString()}, and such leaves are refused`;
}

function authorityRetired(wish: CertificateWish, leaf: CertificateFacts, nowMs: number): string | undefined {
  if (nowMs < replacementDueMs(wish, leaf)) return undefined;
  const state = authorityOf(wish, leaf)?.retiring?.tainted ? 'tainted' : 'retired';
  return `tls.crt was signed by authority ${leaf.authorityId}, which is ${state}`;
}

/**
 * An authority near its end cuts every leaf to the same notAfter: a renewal that gains nothing would be due again at
 * once, so it waits for the next authority.
 */
function renewalDue(wish: CertificateWish, leaf: CertificateFacts, nowMs: number): string | undefined {
  if (nowMs >= askedRenewalMs(wish, leaf)) return 'a renewal of tls.crt was asked for';
  if (nowMs < renewalTimeMs(renewalInput(wish, leaf))) return undefined;
  if (nowMs > leaf.notAfterMs) return 'tls.crt had expired';
  const attainableMs = Math.min(nowMs + wish.profile.durationMs, wish.signingAuthority.notAfterMs);
  return attainableMs < leaf.notAfterMs + MIN_RENEWAL_GAIN_MS / accelerationOf(wish)
    ? undefined
    : 'tls.crt reached its renewal time';
}

function issueUnlessRefused(
  { profile, signingAuthority, refuseLeafsBeforeMs = 0 }: CertificateWish,
  issue: Cause & { readonly replace: Replacement },
  nowMs: number,
): CertificatePlan {
  const { notBeforeMs, notAfterMs: authorityNotAfterMs } = signingAuthority;
  const notBeforeFloorMs = Math.max(refuseLeafsBeforeMs, notBeforeMs);
  const { acceleration } = signingAuthority;
  const answer = leafValidity({ profile, nowMs, authorityNotAfterMs, notBeforeFloorMs, acceleration });
  if (answer.kind === 'refuse') return { kind: 'refuse', reason: answer.reason, message: answer.message };
  return { kind: 'issue', reason: issue.reason, message: issue.message, replace: issue.replace };
}

function recheckAtMs(wish: CertificateWish, { content }: SecretFacts, nowMs: number): number {
  const leaf = content.certificate;
  const shortRecheckMs = Math.max(MIN_RECHECK_MS, SHORT_RECHECK_MS / accelerationOf(wish));
  if (leaf.kind === 'problem') return nowMs + shortRecheckMs;
  const dueMs = Math.min(
    renewalTimeMs(renewalInput(wish, leaf)),
    askedRenewalMs(wish, leaf),
    replacementDueMs(wish, leaf),
  );
  return dueMs > nowMs ? dueMs : nowMs + shortRecheckMs;
}

/** When a renewal that a person asked for is due; infinity when the leaf is newer. Whole seconds, hence the one. */
function askedRenewalMs(
  { renewLeafsBeforeMs, lastIssuedAtMs }: CertificateWish,
  leaf: CertificateFacts,
): number {
  if (renewLeafsBeforeMs === undefined || leaf.notBeforeMs + BACKDATE_MS + 1_000 > renewLeafsBeforeMs) {
    return Number.POSITIVE_INFINITY;
  }
  return Math.max(renewLeafsBeforeMs, (lastIssuedAtMs ?? 0) + MIN_RENEWAL_INTERVAL_MS);
}

/** When the leaf is replaced because its authority goes; infinity when it does not, or nobody else can sign. */
function replacementDueMs(wish: CertificateWish, leaf: CertificateFacts): number {
  const retiring = authorityOf(wish, leaf)?.retiring;
  if (retiring === undefined || leaf.authorityId === wish.signingAuthority.id)
    return Number.POSITIVE_INFINITY;
  const fraction = spreadFraction(wish.identityUid, leaf.serialHex);
  const { replaceFromMs = 0 } = wish;
  if (retiring.tainted)
    return Math.max(replaceFromMs, retiring.sinceMs + Math.floor(fraction * (retiring.spreadMs ?? 0)));
  // Never beyond half of what is left of it: it may have been cut short by the end of its authority.
  const spreadMs = Math.min(
    effectiveRenewBeforeMs(renewalInput(wish, leaf)),
    Math.max(0, leaf.notAfterMs - retiring.sinceMs),
  );
  return retiring.sinceMs + Math.floor((fraction * spreadMs) / 2);
}

function accelerationOf({ signingAuthority }: CertificateWish): number {
  return signingAuthority.acceleration ?? 1;
}

function authorityOf(
  { trustedAuthorities }: CertificateWish,
  leaf: CertificateFacts,
): AuthorityFacts | undefined {
  return trustedAuthorities.find(({ id }) => id === leaf.authorityId);
}

function renewalInput(
  wish: CertificateWish,
  { serialHex, notBeforeMs, notAfterMs }: CertificateFacts,
): RenewalInput {
  const { identityUid, profile, renewBeforeMs, lastIssuedAtMs } = wish;
  return {
    identityUid,
    serialHex,
    notBeforeMs,
    notAfterMs,
    durationMs: profile.durationMs,
    renewBeforeMs,
    lastIssuedAtMs,
    acceleration: wish.signingAuthority.acceleration,
  };
}
