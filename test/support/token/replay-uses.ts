/** Uses of tokens to ask stores about. */

import { randomUUID } from 'node:crypto';
import type {
  Consumption,
  ConsumptionResult,
  ReplayStore,
} from '../../../src/domain/token/replay/replay-store.ts';

export const ACCEPTED: ConsumptionResult = { kind: 'accepted' };

/** A refusal as a store gives it. */
export function refused(name: string, details: object = {}): object {
  return { kind: 'refused', name, ...details };
}

/** An attempt of its own each time, to use a token that was issued a minute after `nowSeconds`. */
export function useOf(nowSeconds: number, changes: Partial<Consumption> = {}): Consumption {
  return {
    presenter: 'presenter',
    tokenId: 'token',
    issuedAtSeconds: nowSeconds + 60,
    keepUntilSeconds: nowSeconds + 270,
    maxUses: 1,
    attemptId: randomUUID(),
    fingerprint: 'request',
    proofId: undefined,
    parent: undefined,
    rateLimit: undefined,
    ...changes,
  };
}

/** How often each outcome came; a rejection of the store is `store_unavailable`. */
export type Outcomes = Readonly<Record<string, number>>;

/** Presents uses all at once. */
export async function presentAtOnce(
  store: ReplayStore,
  uses: readonly Consumption[],
): Promise<readonly string[]> {
  return Promise.all(
    uses.map(async (use) => {
      try {
        const result = await store.consume(use);
        return result.kind === 'accepted' ? 'accepted' : result.name;
      } catch {
        return 'store_unavailable';
      }
    }),
  );
}

/** Counts outcomes. */
export function countOutcomes(outcomes: readonly string[]): Outcomes {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
