/**
 * What is to be done about the webhook's certificate. Nothing is served before the API server trusts it, and nothing is
 * taken from what it trusts while some replica may still serve it.
 */

import { BACKDATE_MS } from '../certificate/profile.ts';
import type { ServedCertificate, ServingFacts } from './facts.ts';

/** What the decision depends on. */
export interface ServingInput {
  readonly facts: ServingFacts;
  /** Names that a certificate must have; the API server asks for the first. */
  readonly names: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Life of a new certificate, milliseconds. */
  readonly lifeMs: number;
  /**
   * For how long the API server has been seen to trust exactly what the Secret says, with the Secret as it is now;
   * undefined while it does not.
   */
  readonly trustedForMs: number | undefined;
  /** How long that must be before the next one is served. */
  readonly graceMs: number;
  /** What this process serves, whatever has become of the Secret: other replicas may serve it too. */
  readonly served: ServedCertificate | undefined;
}

/**
 * - `replace`: a new pair at once, because nothing that is there can be served.
 * - `stage`: a new pair beside the one in use.
 * - `promote`: the staged pair becomes the one in use.
 * - `tidy`: the same pairs, another list of what is trusted.
 * - `keep`: nothing until `untilMs`, or until something changes.
 *
 * `trusted` is what the API server is to trust beside a new pair.
 */
export type ServingStep =
  | { readonly kind: 'replace' | 'stage'; readonly trusted: readonly ServedCertificate[] }
  | { readonly kind: 'promote' | 'tidy'; readonly trusted: readonly ServedCertificate[] }
  | { readonly kind: 'keep'; readonly untilMs: number };

const RENEW_AFTER_LIFE_FRACTION = 2 / 3;
/** A replica whose watch is dead without knowing it finds out within 150 s. In graces: 5 min, when that is 10 s. */
const RETIRE_AFTER_GRACES = 30;
const LIFE_TOLERANCE_MS = 60_000;

/** Decides the next step. Deterministic; every replica comes to the same. */
export function planServing(input: ServingInput): ServingStep {
  const { facts, nowMs, trustedForMs, graceMs } = input;
  const { current, next } = facts;
  const trusted = wantedTrust(input);
  if (current === undefined || !isUsable(current, input)) {
    return next !== undefined && isUsable(next, input)
      ? { kind: 'promote', trusted }
      : { kind: 'replace', trusted };
  }
  const mustStage = next === undefined ? isDue(current, input) : !isUsable(next, input);
  if (mustStage) return { kind: 'stage', trusted };
  if (!isSameTrust(trusted, facts.trusted)) return { kind: 'tidy', trusted };
  if (next !== undefined && trustedForMs !== undefined && trustedForMs >= graceMs) {
    return { kind: 'promote', trusted };
  }
  return { kind: 'keep', untilMs: Math.min(...instantsAhead(input).filter((atMs) => atMs > nowMs)) };
}

/** Those that are trusted in the order in which they are written: the youngest first, always the same way. */
export function bundleOrder(certificates: readonly ServedCertificate[]): readonly ServedCertificate[] {
  const byFingerprint = new Map(certificates.map((each) => [each.fingerprint, each]));
  return [...byFingerprint.values()].sort(
    (left, right) => right.notBeforeMs - left.notBeforeMs || (left.fingerprint < right.fingerprint ? -1 : 1),
  );
}

/** Whether the API server, when it trusts the certificate, takes it from a server. */
export function isUsable(
  { notBeforeMs, notAfterMs, dnsNames }: ServedCertificate,
  { names, nowMs }: Pick<ServingInput, 'names' | 'nowMs'>,
): boolean {
  const [asked] = names;
  return notBeforeMs <= nowMs && nowMs < notAfterMs && asked !== undefined && dnsNames.includes(asked);
}

/** Whether the two lists say the same in the same order. */
function isSameTrust(left: readonly ServedCertificate[], right: readonly ServedCertificate[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ fingerprint }, at) => fingerprint === right[at]?.fingerprint)
  );
}

/** The pairs that can be served, and those before them until every replica has surely left them. */
function wantedTrust(input: ServingInput): readonly ServedCertificate[] {
  const { facts, served, nowMs, trustedForMs, graceMs } = input;
  const { current, next, trusted } = facts;
  const kept = [current, next].filter((each) => each !== undefined);
  const isOver = trustedForMs !== undefined && trustedForMs >= RETIRE_AFTER_GRACES * graceMs;
  // Gone from the Secret, because somebody deleted it: this process is not the only one that still serves it.
  const before = current === undefined && served !== undefined ? [served, ...trusted] : trusted;
  const retiring = isOver ? [] : before;
  return bundleOrder([...kept, ...retiring].filter(({ notAfterMs }) => nowMs < notAfterMs));
}

function isDue(current: ServedCertificate, input: ServingInput): boolean {
  const { names, nowMs, lifeMs } = input;
  const hasOtherNames =
    current.dnsNames.length !== names.length || names.some((name) => !current.dnsNames.includes(name));
  const livesTooLong = current.notAfterMs - nowMs > lifeMs + LIFE_TOLERANCE_MS;
  return hasOtherNames || livesTooLong || nowMs >= renewalMs(current);
}

function renewalMs({ notBeforeMs, notAfterMs }: ServedCertificate): number {
  const issuedMs = notBeforeMs + BACKDATE_MS;
  return issuedMs + (notAfterMs - issuedMs) * RENEW_AFTER_LIFE_FRACTION;
}

/** When the decision may be another one without anything having changed. */
function instantsAhead({ facts, nowMs, trustedForMs, graceMs }: ServingInput): readonly number[] {
  const { current, next, trusted } = facts;
  const ends = trusted.map(({ notAfterMs }) => notAfterMs);
  const renewal = current === undefined ? [] : [renewalMs(current), current.notAfterMs];
  if (trustedForMs === undefined) return [...ends, ...renewal];
  const sinceMs = nowMs - trustedForMs;
  const isRetiring = trusted.length > (next === undefined ? 1 : 2);
  return [
    ...ends,
    ...renewal,
    ...(next === undefined ? [] : [sinceMs + graceMs]),
    ...(isRetiring ? [sinceMs + RETIRE_AFTER_GRACES * graceMs] : []),
  ];
}
