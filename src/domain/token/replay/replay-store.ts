/**
 * Step 17: what a store of used tokens is asked and answers. All of it happens at once or not at all, so one store may serve
 * any number of processes.
 */

import { CLOCK_SKEW_SECONDS } from '../claims.ts';
import { type Refusal, type RefusalName, refuse } from '../refusal.ts';

/** How long after its `exp` a token is remembered: it is accepted for 30 s, and clocks may differ by 60 s more. */
export const KEEP_SECONDS = 90;

/** What is remembered ends in lots of so many seconds, never before its time. */
export const LOT_SECONDS = 10;

/** The counted calls over one edge by one rule. */
export interface RateLimit {
  readonly key: string;
  readonly delegations: number;
  readonly periodSeconds: number;
}

/** The parent of a token, whose children are counted. */
export interface CountedParent {
  /** `par_hash`. */
  readonly key: string;
  readonly maxChildren: number;
  /** From then on no child of it can live. */
  readonly keepUntilSeconds: number;
}

/**
 * One presentation of one token. What names the token is `presenter`, `tokenId` and all that its uses are counted by:
 * `keepUntilSeconds`, `maxUses` and the key of `parent`. So a presenter gains nothing by giving one `tokenId` to several tokens:
 * those that differ in any of these are several, and those that do not have the uses of one.
 */
export interface Consumption {
  /** `client_id` of the token. */
  readonly presenter: string;
  /** `jti` of the token. */
  readonly tokenId: string;
  readonly issuedAtSeconds: number;
  readonly keepUntilSeconds: number;
  readonly maxUses: number;
  readonly attemptId: string;
  readonly fingerprint: string;
  /** `jti` of the proof, which counts once for a token. */
  readonly proofId: string | undefined;
  readonly parent: CountedParent | undefined;
  readonly rateLimit: RateLimit | undefined;
}

/** Names of the refusals of a store. */
export type ReplayRefusalName = Extract<
  RefusalName,
  'rate_limited' | 'replay_unknown' | 'replayed' | 'fanout_exceeded' | 'store_unavailable'
>;

/** What a store answers. */
export type ConsumptionResult =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused';
      readonly name: ReplayRefusalName;
      /** When it may be worth another try. */
      readonly retryAfterSeconds?: number;
      /** Of `replayed`: whether the same request was seen with this token before. */
      readonly isSameRequest?: boolean;
    };

/** A store of used tokens. */
export interface ReplayStore {
  /** SPIFFE ID of the only agent whose tokens it is for; absent for a store that does not mind. */
  readonly audience?: string;
  /**
   * Uses a token once, in this order: an attempt that was accepted before is accepted again; `rate_limited`;
   * `replay_unknown` when the token may have been used before the store knew; `replayed` when all uses are used or the proof
   * was seen with it; `fanout_exceeded`. Whatever is refused leaves no trace.
   *
   * Errors: a rejection means what `store_unavailable` means.
   */
  consume(consumption: Consumption): ConsumptionResult | Promise<ConsumptionResult>;
}

/** From when on a store no longer knows about a token, because it or its parent is forgotten; seconds. */
export function endOf({ keepUntilSeconds, parent }: Consumption): number {
  return Math.min(keepUntilSeconds, parent?.keepUntilSeconds ?? keepUntilSeconds);
}

/** When something is forgotten that must be known until then: the end of its lot, in seconds. */
export function forgottenAt(untilSeconds: number): number {
  return Math.ceil(untilSeconds / LOT_SECONDS) * LOT_SECONDS;
}

/**
 * Whether a token may have been used without the store knowing.
 *
 * @param completeSinceSeconds From then on the store has seen everything.
 */
export function isBeforeFence(issuedAtSeconds: number, completeSinceSeconds: number): boolean {
  return issuedAtSeconds <= completeSinceSeconds + CLOCK_SKEW_SECONDS;
}

const MESSAGES: Readonly<Record<ReplayRefusalName, string>> = {
  rate_limited: 'The rule allows no more calls over this edge now.',
  replay_unknown: 'The token may have been used before this verifier began to remember.',
  replayed: 'The token was used before.',
  fanout_exceeded: 'The parent has as many children as it may have.',
  store_unavailable: 'It cannot be found out whether the token was used before.',
};

const NO_ANSWER: Extract<ConsumptionResult, { kind: 'refused' }> = {
  kind: 'refused',
  name: 'store_unavailable',
};

/**
 * Asks a store. A store that fails has not answered, and that is a "no".
 *
 * @returns Undefined for a "yes"; a promise of it when the store gives one. Errors: none.
 */
export function consume(
  store: ReplayStore,
  consumption: Consumption,
): Refusal | undefined | Promise<Refusal | undefined> {
  try {
    const result = store.consume(consumption);
    return 'then' in result ? answered(result) : refusalOf(result);
  } catch {
    return refusalOf(NO_ANSWER);
  }
}

async function answered(result: Promise<ConsumptionResult>): Promise<Refusal | undefined> {
  try {
    return refusalOf(await result);
  } catch {
    return refusalOf(NO_ANSWER);
  }
}

/** A store may be somebody's own: what is no answer is a "no". */
function refusalOf(result: ConsumptionResult): Refusal | undefined {
  if (result.kind === 'accepted') return undefined;
  const { name, retryAfterSeconds, isSameRequest } = Object.hasOwn(MESSAGES, result.name)
    ? result
    : NO_ANSWER;
  return refuse(name, MESSAGES[name], {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(isSameRequest === undefined ? {} : { isSameRequest }),
  });
}
