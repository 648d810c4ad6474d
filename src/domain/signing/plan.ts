/**
 * What to do about the signing keys of an agent: make one, let the next take over, drop one, or leave them. Facts in,
 * decision out: no clock, no key material, and nothing is compared with status.
 */

import { isDeepStrictEqual } from 'node:util';
import type { TokenAlgorithm } from '../token/claims.ts';
import {
  algorithmOfKey,
  type HeldKey,
  type KeyLife,
  LEAD_SECONDS,
  LEEWAY_SECONDS,
  MOUNT_SECONDS,
  RETIRING_SECONDS,
  type SigningKey,
} from './keys.ts';

/** So many of them at most, whatever happens; with `Next` and `Active` these are the 8 that a status can hold. */
const MOST_RETIRING = 6;
/** A clock that is set back by less than this changes nothing; seconds. */
const JITTER_SECONDS = 60;
const STOPS_AFTER_SECONDS = MOUNT_SECONDS + LEEWAY_SECONDS;

/** What an agent must have. */
export interface SigningWish {
  readonly algorithm: TokenAlgorithm;
  /** How long a key signs, seconds. */
  readonly rotationSeconds: number;
  /** Keys made before any of these are dropped once it has come; milliseconds since the Unix epoch. */
  readonly refuseBeforeMs: readonly number[];
}

/** A key to be made. */
export interface NewKey extends KeyLife {
  readonly algorithm: TokenAlgorithm;
}

/** Why keys are written, in the order in which the reasons are looked for. */
export type KeyReason = 'Compromised' | 'Broken' | 'First' | 'Rotated' | 'Prepared' | 'Expired' | 'ClockSet';

/** The decision. */
export type KeyPlan =
  | { readonly kind: 'keep'; readonly recheckAtMs: number }
  | {
      readonly kind: 'write';
      readonly reason: KeyReason;
      /** All keys from then on: those there are, some with another life, and those to be made. */
      readonly keys: readonly (SigningKey | NewKey)[];
    };

type Planned = HeldKey | NewKey;

/**
 * Decides about the keys of one agent at one instant.
 *
 * @param observed At most one Next and one Active, each `kid` once; empty when there are none.
 * @param atMs Now, milliseconds since the Unix epoch.
 * @returns `write`: exactly one key is Active then, and at most one Next. `keep`: ask again at `recheckAtMs`, which is later
 *   than `nowMs`. Carried out and asked again at the same instant, it answers `keep`.
 *
 * Errors: none.
 */
export function planSigningKeys(observed: readonly HeldKey[], wish: SigningWish, atMs: number): KeyPlan {
  const nowMs = Math.floor(atMs);
  const now = Math.floor(nowMs / 1000);
  const timely = observed.map((key) => pulledBack(key, { wish, now, nowMs }));
  const trusted = timely.filter((key) => !isRefused(key, wish, nowMs));
  const sound = trusted.flatMap((key) => withoutBroken(key, now));
  const wanted = sound.filter((key) => !isUnwantedNext(key, wish, now));
  const led = withActive(wanted, { wish, now, nowMs });
  const prepared = withNext(led, { wish, now, nowMs });
  const keys = withoutExpired(prepared, now);
  if (isDeepStrictEqual(keys, observed))
    return { kind: 'keep', recheckAtMs: recheckAtMs(observed, wish, nowMs) };
  const reasons: readonly (readonly [boolean, KeyReason])[] = [
    [trusted.length < timely.length, 'Compromised'],
    [trusted.some(isBroken), 'Broken'],
    [observed.length === 0, 'First'],
    [kidOfActive(observed) !== kidOfActive(keys), 'Rotated'],
    [keys.some((key) => !('kid' in key)), 'Prepared'],
    [keys.length < observed.length, 'Expired'],
  ];
  const reason = reasons.find(([holds]) => holds)?.[1] ?? 'ClockSet';
  return { kind: 'write', reason, keys: keys.map(withoutFinding) };
}

interface Moment {
  readonly wish: SigningWish;
  readonly now: number;
  readonly nowMs: number;
}

/** What has happened did not happen in the future: the clock was set back, and agents sign by the true time. */
function pulledBack(key: HeldKey, { wish, now, nowMs }: Moment): HeldKey {
  // Never to before an instant that it has survived already.
  const latestMs = Math.max(nowMs, ...wish.refuseBeforeMs);
  const isFromFuture = key.createdMs > nowMs + JITTER_SECONDS * 1000;
  const createdMs = isFromFuture ? Math.min(key.createdMs, latestMs) : key.createdMs;
  const nextSince = now + LEAD_SECONDS - LEEWAY_SECONDS;
  const late = key.state === 'Next' ? nextSince + JITTER_SECONDS : now;
  const since = key.since <= late ? key.since : key.state === 'Next' ? nextSince : now - LEEWAY_SECONDS;
  const lastUntil = now + STOPS_AFTER_SECONDS;
  if (key.until === undefined) return { ...key, createdMs, since };
  const until = key.until > lastUntil + JITTER_SECONDS ? lastUntil : key.until;
  return { ...key, createdMs, since: Math.min(since, until), until };
}

function isRefused({ createdMs }: HeldKey, { refuseBeforeMs }: SigningWish, nowMs: number): boolean {
  return refuseBeforeMs.some((instantMs) => instantMs <= nowMs && createdMs < instantMs);
}

function isBroken({ state, isUsable }: HeldKey): boolean {
  return state !== 'Retiring' && !isUsable;
}

/** Whatever a broken key may have signed stays good: an agent can have had it whole until a moment ago. */
function withoutBroken(key: HeldKey, now: number): readonly HeldKey[] {
  if (!isBroken(key)) return [key];
  return key.state === 'Next' && isFarNext(key, now) ? [] : [retired(key, now)];
}

/** No agent can come to sign with it before it knows that it is gone. */
function isFarNext({ since }: HeldKey, now: number): boolean {
  return since > now + STOPS_AFTER_SECONDS;
}

function isUnwantedNext(key: HeldKey, { algorithm }: SigningWish, now: number): boolean {
  return key.state === 'Next' && algorithmOfKey(key) !== algorithm && isFarNext(key, now);
}

function retired<K extends Planned>({ ...key }: K, now: number): K {
  const until = now + STOPS_AFTER_SECONDS;
  return { ...key, state: 'Retiring', since: Math.min(key.since, until), until, ...unusable(key) };
}

function unusable(key: Planned): { readonly isUsable?: false } {
  return 'kid' in key ? { isUsable: false } : {};
}

/** With exactly one Active: the one there is, the next one once it is time, or a new one. */
function withActive(keys: readonly HeldKey[], { wish, now, nowMs }: Moment): readonly Planned[] {
  const active = stateOf(keys, 'Active');
  const next = stateOf(keys, 'Next');
  const isDue = next !== undefined && (active === undefined ? next.since : takesOverAt(next)) <= now;
  if (isDue) {
    return keys.map((key) => {
      if (key === active) return retired(key, now);
      return key === next ? { ...next, state: 'Active' as const } : key;
    });
  }
  if (active !== undefined) return keys;
  const { algorithm } = wish;
  return [...keys, { state: 'Active', createdMs: nowMs, since: now - LEEWAY_SECONDS, algorithm }];
}

/** With the key that follows, as soon as it is time to publish it. */
function withNext(keys: readonly Planned[], { wish, now, nowMs }: Moment): readonly Planned[] {
  const active = stateOf(keys, 'Active');
  if (active === undefined || stateOf(keys, 'Next') !== undefined) return keys;
  if (now < nextDueAt(active, wish)) return keys;
  const since = now + LEAD_SECONDS - LEEWAY_SECONDS;
  return [...keys, { state: 'Next', createdMs: nowMs, since, algorithm: wish.algorithm }];
}

function withoutExpired(keys: readonly Planned[], now: number): readonly Planned[] {
  const retiring = keys
    .filter((key) => key.state === 'Retiring' && now < expiresAt(key))
    .toSorted((left, right) => expiresAt(right) - expiresAt(left))
    .slice(0, MOST_RETIRING);
  return keys.filter((key) => key.state !== 'Retiring' || retiring.includes(key));
}

function stateOf<K extends KeyLife>(keys: readonly K[], state: KeyLife['state']): K | undefined {
  return keys.find((key) => key.state === state);
}

function kidOfActive(keys: readonly Planned[]): string | undefined {
  const active = stateOf(keys, 'Active');
  return active !== undefined && 'kid' in active ? active.kid : undefined;
}

/** When a key becomes Active, seconds since the Unix epoch. */
function takesOverAt({ since }: KeyLife): number {
  return since + LEEWAY_SECONDS;
}

/** When the key after this one is made: at once, if the spec asks for another algorithm. */
function nextDueAt(active: Planned, { algorithm, rotationSeconds }: SigningWish): number {
  const found = 'kid' in active ? algorithmOfKey(active) : active.algorithm;
  return found === algorithm ? takesOverAt(active) + rotationSeconds - LEAD_SECONDS : 0;
}

/** The first second in which a Retiring key is no longer published. */
function expiresAt({ until = 0 }: KeyLife): number {
  return until + RETIRING_SECONDS;
}

function recheckAtMs(keys: readonly HeldKey[], wish: SigningWish, nowMs: number): number {
  const hasNext = stateOf(keys, 'Next') !== undefined;
  const instants = keys.map((key) => {
    if (key.state === 'Retiring') return expiresAt(key);
    return key.state === 'Next'
      ? takesOverAt(key)
      : hasNext
        ? Number.POSITIVE_INFINITY
        : nextDueAt(key, wish);
  });
  const refusals = wish.refuseBeforeMs.filter((instantMs) => instantMs > nowMs);
  return Math.max(Math.min(...instants.map((instant) => instant * 1000), ...refusals), nowMs + 1);
}

function withoutFinding(key: Planned): SigningKey | NewKey {
  if (!('kid' in key)) return key;
  const { isUsable: _, ...kept } = key;
  return kept;
}
