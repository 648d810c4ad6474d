/**
 * Used tokens in the memory of one process. It holds so many and no more: what it could only remember by forgetting
 * something else it refuses.
 */

import { getOrInsert } from '../../delegation/get-or-insert.ts';
import { ownText } from '../own-text.ts';
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
import { compareUses, shortText, tokenText, useRecord } from './use-record.ts';

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

interface Presenter {
  readonly name: string;
  /** How many tokens of it are held. */
  tokens: number;
  /** Records of the uses of each token, by when they are forgotten and by the short text of the token. */
  readonly lots: Map<number, Map<string, string>>;
}

/** What is forgotten together. */
interface Lot {
  readonly presenters: Set<Presenter>;
  readonly parents: string[];
}

/**
 * A store for an audience of which one process runs. A token costs it about 140 bytes, since keys and uses are texts of one octet
 * a character, and up to 500 where its presenter has no other in the same ten seconds.
 */
export class MemoryReplayStore implements ReplayStore {
  /** Tokens and parents that it holds at most. */
  readonly capacity: number;
  readonly #now: () => number;
  readonly #presenters = new Map<string, Presenter>();
  #tokens = 0;
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
    return this.#tokens + this.#childrenOf.size;
  }

  /** Uses a token once, as {@link ReplayStore} says. */
  consume(consumption: Consumption): ConsumptionResult {
    this.#forget();
    const { maxUses, rateLimit } = consumption;
    const end = forgottenAt(consumption.keepUntilSeconds);
    const token = tokenText(consumption);
    const record = useRecord(consumption);
    const known = this.#presenters.get(consumption.presenter);
    const uses = known?.lots.get(end)?.get(token);
    const before = uses === undefined ? undefined : compareUses(uses, record);
    if (before?.isOneOfThem) return { kind: 'accepted' };
    const retryAfterSeconds = this.#retryAfter(rateLimit);
    if (retryAfterSeconds !== undefined) return { kind: 'refused', name: 'rate_limited', retryAfterSeconds };
    if (this.#isUnknown(consumption)) return { kind: 'refused', name: 'replay_unknown' };
    if (before !== undefined && (before.count >= maxUses || before.isPartSeen))
      return { kind: 'refused', name: 'replayed', isSameRequest: before.isRequestSeen };
    const name = before === undefined ? this.#refusalOfNew(consumption, known) : undefined;
    if (name !== undefined) return { kind: 'refused', name };
    if (rateLimit !== undefined) this.#countCall(rateLimit);
    const presenter = known ?? this.#newPresenter(consumption.presenter);
    if (before === undefined) this.#begin(consumption, presenter);
    getOrInsert(presenter.lots, end, () => new Map()).set(token, (uses ?? '') + record);
    return { kind: 'accepted' };
  }

  #isUnknown(consumption: Consumption): boolean {
    return (
      isBeforeFence(consumption.issuedAtSeconds, this.#completeSince) ||
      endOf(consumption) <= this.#forgottenUntil
    );
  }

  #refusalOfNew({ parent }: Consumption, presenter: Presenter | undefined): ReplayRefusalName | undefined {
    if (parent !== undefined && (this.#childrenOf.get(shortText(parent.key)) ?? 0) >= parent.maxChildren)
      return 'fanout_exceeded';
    const isFull = this.size + 2 > this.capacity || (presenter?.tokens ?? 0) + 1 > this.capacity / 4;
    return isFull ? 'store_unavailable' : undefined;
  }

  #newPresenter(name: string): Presenter {
    const presenter: Presenter = { name: ownText(name), tokens: 0, lots: new Map() };
    this.#presenters.set(presenter.name, presenter);
    return presenter;
  }

  #begin({ keepUntilSeconds, parent }: Consumption, presenter: Presenter): void {
    this.#lot(keepUntilSeconds).presenters.add(presenter);
    presenter.tokens++;
    this.#tokens++;
    if (parent !== undefined) this.#countChild(parent);
  }

  #countChild({ key, keepUntilSeconds }: CountedParent): void {
    const short = shortText(key);
    if (!this.#childrenOf.has(short)) this.#lot(keepUntilSeconds).parents.push(short);
    this.#childrenOf.set(short, (this.#childrenOf.get(short) ?? 0) + 1);
  }

  #lot(endSeconds: number): Lot {
    return getOrInsert(this.#lots, forgottenAt(endSeconds), () => ({ presenters: new Set(), parents: [] }));
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
      this.#forgetLot(end, lot);
      this.#lots.delete(end);
    }
    this.#forgottenUntil = until;
  }

  #forgetLot(end: number, { presenters, parents }: Lot): void {
    for (const presenter of presenters) {
      const ended = presenter.lots.get(end)?.size ?? 0;
      presenter.lots.delete(end);
      presenter.tokens -= ended;
      this.#tokens -= ended;
      if (presenter.tokens === 0) this.#presenters.delete(presenter.name);
    }
    for (const key of parents) this.#childrenOf.delete(key);
  }
}
