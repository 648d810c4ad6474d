/**
 * Used tokens in the memory of one process. It holds so many and no more: what it could only remember by forgetting
 * something else it refuses.
 */

import { getOrInsert } from '../../delegation/get-or-insert.ts';
import {
  type Consumption,
  type ConsumptionResult,
  type CountedParent,
  endOf,
  forgottenAt,
  isBeforeFence,
  LOT_SECONDS,
  type RateLimit,
  type ReplayRefusalName,
  type ReplayStore,
} from './replay-store.ts';
import { compareUses, shortHash, useRecord } from './use-record.ts';

/** What a store is made from. */
export interface MemoryStoreOptions {
  /** Tokens and parents that it holds at most. A presenter has at most a quarter of the tokens. */
  readonly capacity: number;
  /** Seconds since the Unix epoch. */
  readonly now: () => number;
}

interface Window {
  readonly end: number;
  count: number;
}

/** What ends together. */
interface Lot {
  readonly tokens: string[];
  readonly tokensOf: Map<string, number>;
  readonly parents: string[];
}

/**
 * A store for an audience of which one process runs. A token costs it about 140 bytes: keys and uses are texts of one octet
 * a character, and who presented it is counted for a lot, not noted for each.
 */
export class MemoryReplayStore implements ReplayStore {
  /** Tokens and parents that it holds at most. */
  readonly capacity: number;
  readonly #now: () => number;
  /** Records of the uses of each token. */
  readonly #uses = new Map<string, string>();
  readonly #tokensOf = new Map<string, number>();
  readonly #childrenOf = new Map<string, number>();
  readonly #windows = new Map<string, Window>();
  /** By when they are forgotten, in seconds. */
  readonly #lots = new Map<number, Lot>();
  #completeSince: number;
  /** Whatever ended before was forgotten. Never goes back, as the clock may. */
  #forgottenUntil: number;

  constructor({ capacity, now }: MemoryStoreOptions) {
    this.capacity = capacity;
    this.#now = now;
    this.#completeSince = now();
    this.#forgottenUntil = this.#completeSince;
  }

  /** How many tokens and parents it holds. */
  get size(): number {
    return this.#uses.size + this.#childrenOf.size;
  }

  /** Uses a token once, as {@link ReplayStore} says. */
  consume(consumption: Consumption): ConsumptionResult {
    this.#forget();
    const key = shortHash(consumption.key);
    const record = useRecord(consumption);
    const uses = this.#uses.get(key);
    const before = compareUses(uses ?? '', record);
    if (before.isOneOfThem) return { kind: 'accepted' };
    const retryAfterSeconds = this.#retryAfter(consumption.rateLimit);
    if (retryAfterSeconds !== undefined) return { kind: 'refused', name: 'rate_limited', retryAfterSeconds };
    if (this.#isUnknown(consumption)) return { kind: 'refused', name: 'replay_unknown' };
    if (uses !== undefined && (before.count >= consumption.maxUses || before.isPartSeen))
      return { kind: 'refused', name: 'replayed', isSameRequest: before.isRequestSeen };
    const name = uses === undefined ? this.#refusalOfNew(consumption) : undefined;
    if (name !== undefined) return { kind: 'refused', name };
    if (consumption.rateLimit !== undefined) this.#countCall(consumption.rateLimit);
    if (uses === undefined) this.#begin(key, consumption);
    this.#uses.set(key, (uses ?? '') + record);
    return { kind: 'accepted' };
  }

  #isUnknown(consumption: Consumption): boolean {
    return (
      isBeforeFence(consumption.issuedAtSeconds, this.#completeSince) ||
      endOf(consumption) <= this.#forgottenUntil
    );
  }

  #refusalOfNew({ presenter, parent }: Consumption): ReplayRefusalName | undefined {
    if (parent !== undefined && (this.#childrenOf.get(shortHash(parent.key)) ?? 0) >= parent.maxChildren)
      return 'fanout_exceeded';
    const isFull =
      this.size + 2 > this.capacity || (this.#tokensOf.get(presenter) ?? 0) + 1 > this.capacity / 4;
    return isFull ? 'store_unavailable' : undefined;
  }

  #begin(key: string, { presenter, keepUntilSeconds, parent }: Consumption): void {
    const lot = this.#lot(keepUntilSeconds);
    lot.tokens.push(key);
    add(lot.tokensOf, presenter, 1);
    add(this.#tokensOf, presenter, 1);
    if (parent !== undefined) this.#countChild(parent);
  }

  #countChild({ key, keepUntilSeconds }: CountedParent): void {
    const short = shortHash(key);
    if (!this.#childrenOf.has(short)) this.#lot(keepUntilSeconds).parents.push(short);
    add(this.#childrenOf, short, 1);
  }

  #lot(endSeconds: number): Lot {
    return getOrInsert(this.#lots, forgottenAt(endSeconds), () => ({
      tokens: [],
      tokensOf: new Map(),
      parents: [],
    }));
  }

  /** Seconds until a rule allows another call, or undefined when it does now. */
  #retryAfter(rateLimit: RateLimit | undefined): number | undefined {
    if (rateLimit === undefined) return undefined;
    const window = this.#window(rateLimit);
    if ((window?.count ?? 0) < rateLimit.delegations) return undefined;
    return Math.ceil(window === undefined ? rateLimit.periodSeconds : window.end - this.#now());
  }

  /** The period that is running. It began with its first call; one that a clock gone back makes longer is over. */
  #window({ key, periodSeconds }: RateLimit): Window | undefined {
    const window = this.#windows.get(key);
    const left = (window?.end ?? 0) - this.#now();
    return left > 0 && left <= periodSeconds ? window : undefined;
  }

  #countCall(rateLimit: RateLimit): void {
    const window = this.#window(rateLimit);
    if (window !== undefined) window.count++;
    else this.#windows.set(rateLimit.key, { end: this.#now() + rateLimit.periodSeconds, count: 1 });
  }

  #forget(): void {
    const now = this.#now();
    const until = Math.floor(now / LOT_SECONDS) * LOT_SECONDS;
    if (until <= this.#forgottenUntil) return;
    for (const [key, { end }] of this.#windows) if (end <= now) this.#windows.delete(key);
    for (const [end, lot] of this.#lots) {
      if (end > until) continue;
      this.#forgetLot(lot);
      this.#lots.delete(end);
    }
    this.#forgottenUntil = until;
  }

  #forgetLot({ tokens, tokensOf, parents }: Lot): void {
    for (const key of tokens) this.#uses.delete(key);
    for (const [presenter, count] of tokensOf) add(this.#tokensOf, presenter, -count);
    for (const key of parents) this.#childrenOf.delete(key);
  }
}

/** Adds to a count; one that becomes 0 goes. */
function add(counts: Map<string, number>, key: string, difference: number): void {
  const count = (counts.get(key) ?? 0) + difference;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
