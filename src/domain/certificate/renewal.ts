/**
 * When a leaf is renewed. The spread over time is a function of identity and serial, so that every replica and every
 * restart comes to the same instant, and identities made together do not renew together.
 */

const RENEW_BEFORE_LIFE_FRACTION = 2 / 3;
const DEFAULT_RENEW_BEFORE_FRACTION = 1 / 3;
const JITTER_FRACTION = 0.1;
/** Two renewals of one identity are at least this far apart. */
export const MIN_RENEWAL_INTERVAL_MS = 60_000;

/** The leaf in use and what the spec says; instants in milliseconds since the Unix epoch. */
export interface RenewalInput {
  readonly identityUid: string;
  /** Serial number of the leaf, hexadecimal. */
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** `spec.certificate.duration`. */
  readonly durationMs: number;
  /** `spec.certificate.renewBefore`; `undefined` is a third of the duration. */
  readonly renewBeforeMs: number | undefined;
  /** When this identity last got a leaf, as far as this process knows. */
  readonly lastIssuedAtMs: number | undefined;
  /** The minute between two renewals is divided by it; 1 by default. See `AuthoritySettings`. */
  readonly acceleration?: number | undefined;
}

/**
 * How long before its end a leaf is renewed.
 *
 * @returns Milliseconds: what the spec says, but never more than two thirds of the life the leaf really has, so that
 *   a leaf that was cut short is still used for a while.
 */
export function effectiveRenewBeforeMs(input: RenewalInput): number {
  const wantedMs = input.renewBeforeMs ?? input.durationMs * DEFAULT_RENEW_BEFORE_FRACTION;
  return Math.min(wantedMs, issuedLifeMs(input) * RENEW_BEFORE_LIFE_FRACTION);
}

/**
 * When a leaf is due for renewal: notAfter - renewBefore - J, where J is 0 to 10 % of what lies before renewBefore,
 * drawn from identity and serial.
 *
 * @returns Whole seconds in milliseconds since the Unix epoch, later than `notBeforeMs` for every leaf that lives
 *   longer than four seconds, and at least a minute after `lastIssuedAtMs`.
 *
 * Errors: none. Deterministic.
 */
export function renewalTimeMs(input: RenewalInput): number {
  const renewBeforeMs = effectiveRenewBeforeMs(input);
  const jitterRangeMs = (issuedLifeMs(input) - renewBeforeMs) * JITTER_FRACTION;
  const jitterMs = spreadFraction(input.identityUid, input.serialHex) * jitterRangeMs;
  const dueMs = Math.floor((input.notAfterMs - renewBeforeMs - jitterMs) / 1000) * 1000;
  if (input.lastIssuedAtMs === undefined) return dueMs;
  const intervalMs = MIN_RENEWAL_INTERVAL_MS / (input.acceleration ?? 1);
  return Math.max(dueMs, Math.ceil((input.lastIssuedAtMs + intervalMs) / 1000) * 1000);
}

/**
 * Maps words to a number that looks random but is always the same for the same words. It spreads load; it is no
 * secret and protects nothing.
 *
 * @returns 0 or more, below 1.
 *
 * Source: FNV-1a over UTF-16 code units, then the finalizer of MurmurHash3, which FNV needs for words that differ
 * only at their end.
 */
export function spreadFraction(...words: readonly string[]): number {
  let hash = 0x811c9dc5;
  const text = words.join('\n');
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function issuedLifeMs({ notBeforeMs, notAfterMs }: RenewalInput): number {
  return Math.max(0, notAfterMs - notBeforeMs);
}
