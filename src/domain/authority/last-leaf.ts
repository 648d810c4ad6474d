/** When the last leaf of a generation ends, also where the ledger does not know all of them. */

import { LEAF_DURATION_MS } from '../certificate/profile.ts';
import type { GenerationSpan, GenerationState } from './facts.ts';
import { madeAt } from './periods.ts';

/** A generation, as far as its leaves are concerned. */
export type SigningSpan = GenerationSpan & Pick<GenerationState, 'phase' | 'retiringSinceMs'>;

/** What a ledger says. Instants are milliseconds since the Unix epoch. */
export interface LedgerWord {
  /** End of the last leaf of the generation that is in it; undefined when there is none. */
  readonly endsAtMs: number | undefined;
  /** It misses no leaf that was issued from then on: what was there before may have been deleted. */
  readonly completeSinceMs: number;
}

/**
 * When the last leaf of a generation ends, milliseconds since the Unix epoch: as the ledger says, but no sooner than any leaf can
 * that it may miss. Undefined when there is none.
 */
export function lastLeafEndsAtMs(
  { phase, notBeforeMs, notAfterMs, retiringSinceMs = Number.POSITIVE_INFINITY }: SigningSpan,
  { endsAtMs, completeSinceMs }: LedgerWord,
): number | undefined {
  if (phase === 'prepared' || madeAt({ notBeforeMs }) >= completeSinceMs) return endsAtMs;
  const missedUntilMs = Math.min(completeSinceMs, retiringSinceMs) + LEAF_DURATION_MS.max;
  return Math.max(endsAtMs ?? 0, Math.min(missedUntilMs, notAfterMs));
}
