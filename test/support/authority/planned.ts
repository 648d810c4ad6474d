/** What the planner of the authority is asked in tests: generations that live 24 days, at some day of the first one. */

import {
  type AuthorityIntent,
  type GenerationFacts,
  NO_INTENT,
} from '../../../src/domain/authority/facts.ts';
import { type AuthorityPeriods, authorityPeriods } from '../../../src/domain/authority/periods.ts';
import {
  type AuthorityPlan,
  type AuthorityPlanInput,
  planAuthority,
} from '../../../src/domain/authority/plan.ts';

/** Milliseconds. */
export const MINUTE = 60_000;
/** Milliseconds. */
export const DAY = 86_400_000;
/** When the generation `a` of all tests was made, milliseconds since the Unix epoch; it lives 24 days. */
export const MADE: number = Date.UTC(2026, 0, 1);
/** What a namespace lacks that carries nothing. */
export const LACKING: ReadonlyMap<string, string> = new Map([
  ['ai-data', 'ConfigMap agent-trust-bundle does not carry it'],
]);
/** Those of an installation whose generations live 24 days. */
export const PERIODS: AuthorityPeriods = authorityPeriods({ lifeMs: 24 * DAY, acceleration: 1 });

/** What differs from a cluster that is well: nothing is asked for, everything is seen and can be written. */
export type Differences = Partial<Omit<AuthorityPlanInput, 'intent'>> & {
  readonly intent?: Partial<AuthorityIntent>;
};

/** One that signs since it was made. */
export function generation(id: string, rest: Partial<GenerationFacts> = {}): GenerationFacts {
  const madeMs = rest.preparedAtMs ?? MADE;
  return {
    id,
    phase: 'signing',
    preparedAtMs: madeMs,
    activatedAtMs: madeMs,
    notBeforeMs: madeMs - 2 * MINUTE,
    notAfterMs: madeMs + 24 * DAY,
    lastLeafEndsAtMs: undefined,
    heldLeaves: 0,
    ...rest,
  };
}

/** One that does not sign yet. */
export function prepared(id: string, atMs: number, rest: Partial<GenerationFacts> = {}): GenerationFacts {
  return generation(id, { phase: 'prepared', preparedAtMs: atMs, ...rest });
}

/** The plan, so many days after {@link MADE}. */
export function planAt(
  generations: readonly GenerationFacts[],
  days: number,
  rest: Differences = {},
): AuthorityPlan {
  return planAuthority({
    nowMs: MADE + days * DAY,
    isClockTrusted: true,
    periods: PERIODS,
    generations,
    takenOverAtMs: 0,
    isLookedAt: true,
    ...{ isIntentRead: true, isSecretWritable: true, areLeavesSeen: true },
    lacking: () => new Map(),
    ...rest,
    intent: { ...NO_INTENT, ...rest.intent },
  });
}
