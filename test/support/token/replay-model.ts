/** What a store of used tokens shall answer, said as simply as it can be: it remembers everything, and no time passes. */

import type { Consumption, ConsumptionResult } from '../../../src/domain/token/replay/replay-store.ts';

/** A store whose clock stands still. */
export class ReplayModel {
  readonly #nowSeconds: number;
  readonly #accepted: Consumption[] = [];

  /** @param nowSeconds When it began, and what its clock says. */
  constructor(nowSeconds: number) {
    this.#nowSeconds = nowSeconds;
  }

  consume(use: Consumption): ConsumptionResult {
    const earlier = this.#accepted.filter((earlier) => isSameToken(earlier, use));
    const isSame = (other: Consumption): boolean =>
      other.attemptId === use.attemptId &&
      other.fingerprint === use.fingerprint &&
      other.proofId === use.proofId;
    if (earlier.some(isSame)) return { kind: 'accepted' };
    const { rateLimit } = use;
    if (rateLimit !== undefined && this.#callsOf(rateLimit.key) >= rateLimit.delegations)
      return { kind: 'refused', name: 'rate_limited', retryAfterSeconds: rateLimit.periodSeconds };
    if (this.#isUnknown(use)) return { kind: 'refused', name: 'replay_unknown' };
    if (earlier.length > 0 && (earlier.length >= use.maxUses || isPartSeen(earlier, use)))
      return {
        kind: 'refused',
        name: 'replayed',
        isSameRequest: earlier.some(({ fingerprint }) => fingerprint === use.fingerprint),
      };
    const { parent } = use;
    if (parent !== undefined && earlier.length === 0 && this.#childrenOf(parent.key) >= parent.maxChildren)
      return { kind: 'refused', name: 'fanout_exceeded' };
    this.#accepted.push(use);
    return { kind: 'accepted' };
  }

  #isUnknown({ issuedAtSeconds, keepUntilSeconds, parent }: Consumption): boolean {
    const isForgotten = [keepUntilSeconds, parent?.keepUntilSeconds ?? keepUntilSeconds].some(
      (until) => until <= this.#nowSeconds,
    );
    return isForgotten || issuedAtSeconds <= this.#nowSeconds + 30;
  }

  #callsOf(rule: string): number {
    return this.#accepted.filter(({ rateLimit }) => rateLimit?.key === rule).length;
  }

  #childrenOf(parentKey: string): number {
    const firstUses = this.#accepted.filter(
      (use, index) => this.#accepted.findIndex((earlier) => isSameToken(earlier, use)) === index,
    );
    return firstUses.filter(({ parent }) => parent?.key === parentKey).length;
  }
}

function isSameToken(a: Consumption, b: Consumption): boolean {
  return (
    a.presenter === b.presenter &&
    a.tokenId === b.tokenId &&
    a.keepUntilSeconds === b.keepUntilSeconds &&
    a.maxUses === b.maxUses &&
    a.parent?.key === b.parent?.key
  );
}

function isPartSeen(earlier: readonly Consumption[], { attemptId, proofId }: Consumption): boolean {
  return earlier.some(
    (other) => other.attemptId === attemptId || (proofId !== undefined && other.proofId === proofId),
  );
}
