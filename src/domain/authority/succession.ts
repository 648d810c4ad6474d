/** When a generation takes over from the one that signs, although something is missing. */

import type { GenerationFacts } from './facts.ts';
import type { AuthorityPeriods, GenerationSchedule } from './periods.ts';

/** How long is waited where time is short: a generation was made much too late, a key leaked, a leader has just begun. */
const LATE_SETTLES = 3;

/** Why another generation is wanted. */
export type RotationReason = 'First' | 'Due' | 'Asked' | 'Tainted' | 'Revoked' | 'Given' | 'Withdrawn';

/** One generation that takes over from another. */
export interface Succession {
  readonly signing: GenerationFacts;
  readonly next: GenerationFacts;
  readonly schedule: GenerationSchedule;
  /** Why it is to sign now; undefined: it is not yet. */
  readonly reason: RotationReason | undefined;
}

/** The term of a leader. */
interface Term {
  /** When it began, milliseconds since the Unix epoch. */
  readonly takenOverAtMs: number;
  readonly periods: Pick<AuthorityPeriods, 'settleMs'>;
}

/**
 * When namespaces that do not carry the next one are waited for no more, milliseconds since the Unix epoch: soon when a key leaked,
 * but not before this leader could write to them.
 */
export function excludeAt(
  { takenOverAtMs, periods: { settleMs } }: Term,
  { signing, next, schedule, reason }: Succession,
): number {
  const courseMs = next.preparedAtMs + schedule.excludeAfterMs;
  const leakedAtMs = Math.max(next.preparedAtMs, signing.taintedAtMs ?? 0);
  const isLeaked = reason === 'Tainted' || reason === 'Revoked';
  const atMs = isLeaked ? Math.min(courseMs, leakedAtMs + LATE_SETTLES * settleMs) : courseMs;
  return Math.max(atMs, Math.min(takenOverAtMs + settleMs, signing.notAfterMs - settleMs));
}

/**
 * When the next one signs whatever is missing, milliseconds since the Unix epoch: one that was made late, or that nobody could
 * distribute, still gets its time, as long as there is any.
 */
export function deadlineOf(
  { takenOverAtMs, periods: { settleMs } }: Term,
  { signing, next, schedule }: Succession,
): number {
  const { deadlineMs, lastResortMs, excludeAfterMs } = schedule;
  const beforeEnd = (atMs: number): number => Math.min(atMs, signing.notAfterMs - settleMs);
  const lateMs = LATE_SETTLES * settleMs;
  const lastMs = Math.max(lastResortMs, beforeEnd(next.preparedAtMs + lateMs));
  return Math.max(
    deadlineMs,
    Math.min(next.preparedAtMs + excludeAfterMs + settleMs, lastMs),
    beforeEnd(takenOverAtMs + lateMs),
  );
}
