/** Whether what an issuer handed back is the certificate that was asked for. Facts in, findings out. */

import { type Deviation, leafDeviations } from '../certificate/deviation.ts';
import type { CertificateFacts } from '../certificate/facts.ts';
import type { LeafProfile } from '../certificate/profile.ts';
import { type AnswerFacts, issuerAuthority, type LinkFacts } from './facts.ts';
import type { IssuerFinding } from './findings.ts';

/** What was asked for. */
export interface AnswerWish {
  readonly profile: LeafProfile;
  /** Leaves that begin earlier are refused everywhere; milliseconds since the Unix epoch. */
  readonly refuseLeafsBeforeMs: number | undefined;
}

const FUTURE_TOLERANCE_MS = 30_000;
const MIN_USEFUL_LIFE_MS = 5 * 60_000;
/** Hexadecimal digits of 20 octets, RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_DIGITS = 40;

const OF_DEVIATION: Readonly<Record<Deviation, IssuerFinding>> = {
  'SPIFFE ID': 'SpiffeIdDiffers',
  'DNS names': 'DnsNamesDiffer',
  'other names': 'OtherNames',
  subject: 'SubjectDiffers',
  usages: 'UsagesDiffer',
  'key type': 'KeyDiffers',
  life: 'LifeDiffers',
};

/**
 * Verifies an answer.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 * @returns Everything that is wrong, in the order of `ISSUER_FINDINGS`; empty when the certificate may be used. Of an answer
 *   that cannot be read nothing else is said.
 *
 * Errors: none.
 *
 * Source: RFC 5280 section 6.1, as far as it applies to one chain that is already found.
 */
export function verifyAnswer(wish: AnswerWish, facts: AnswerFacts, nowMs: number): readonly IssuerFinding[] {
  const { leaf } = facts;
  if (leaf.kind === 'problem') return ['AnswerUnreadable'];
  const chain = chainFindings(facts, leaf, nowMs);
  return [...new Set([...leafFindings(wish, facts, leaf, nowMs), ...chain])];
}

function leafFindings(
  { profile, refuseLeafsBeforeMs = 0 }: AnswerWish,
  { keyMatches, anchor }: AnswerFacts,
  leaf: CertificateFacts,
  nowMs: number,
): readonly IssuerFinding[] {
  const endMs = anchor.kind === 'ca' ? issuerAuthority(anchor).notAfterMs : Number.POSITIVE_INFINITY;
  const differing = leafDeviations(profile, leaf, endMs).map((deviation) => OF_DEVIATION[deviation]);
  return foundOf([
    ['KeyDiffers', !keyMatches],
    ...differing.map((finding) => [finding, true] as const),
    ['NotYetValid', leaf.notBeforeMs > nowMs + FUTURE_TOLERANCE_MS],
    ['AboutToEnd', leaf.notAfterMs < nowMs + MIN_USEFUL_LIFE_MS],
    ['TooOld', leaf.notBeforeMs < refuseLeafsBeforeMs],
    ['SerialNumberTooLong', leaf.serialHex.length > MAX_SERIAL_DIGITS],
  ]);
}

function chainFindings(
  { links, anchor, isStrong }: AnswerFacts,
  { notAfterMs }: CertificateFacts,
  nowMs: number,
): readonly IssuerFinding[] {
  const authorities: readonly LinkFacts[] = anchor.kind === 'ca' ? [...links, anchor] : links;
  const some = (isWrong: (link: LinkFacts, below: number) => boolean): boolean => authorities.some(isWrong);
  return foundOf([
    ...(anchor.kind === 'ca' ? [] : [[anchor.reason, true] as const]),
    ['NotAnAuthority', some(({ isAuthority }) => !isAuthority)],
    ['ChainTooLong', some(({ pathLength }, below) => pathLength !== undefined && pathLength < below)],
    ['ChainRestricted', some(isRestricted)],
    ['ChainOutOfOrder', some(({ isNamed }) => !isNamed)],
    ['ChainEndsEarlier', some((link) => link.notBeforeMs > nowMs || link.notAfterMs < notAfterMs)],
    ['WeakAlgorithm', !isStrong],
  ]);
}

/** What OpenSSL and others hold a leaf to, whatever it says itself. */
function isRestricted({ constrainsNames, extendedKeyUsages: usages }: LinkFacts): boolean {
  const isForTls = usages.includes('clientAuth') && usages.includes('serverAuth');
  return constrainsNames || (usages.length > 0 && !isForTls);
}

function foundOf(checks: readonly (readonly [IssuerFinding, boolean])[]): readonly IssuerFinding[] {
  return checks.filter(([, isWrong]) => isWrong).map(([finding]) => finding);
}

/**
 * From when on a leaf of this CA may take the place of one that works: by then every pod has the CA in its files.
 *
 * @param sinceMs When the CA joined the bundles, milliseconds since the Unix epoch.
 * @param acceleration By how much all periods are shortened; 1 but in tests.
 */
export function usableFromMs(sinceMs: number, acceleration: number): number {
  return sinceMs + DISTRIBUTION_MS / acceleration;
}

/** What a kubelet needs to bring a file to a pod, several times over. */
const DISTRIBUTION_MS = 10 * 60_000;
