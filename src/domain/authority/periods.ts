/** How long everything about the authority takes: all of it follows from the life of a generation and one factor. */

import { BACKDATE_MS } from '../certificate/profile.ts';
import type { GenerationSpan } from './facts.ts';

/** What the installation says. */
export interface AuthoritySettings {
  /** Life of a new generation, milliseconds, before it is divided. */
  readonly lifeMs: number;
  /** All periods are divided by it, 1 or more. For tests and demonstrations. */
  readonly acceleration: number;
  /** Leaves of a tainted generation that are replaced in a second. */
  readonly reissuePerSecond: number;
  /** Bits of the curve of a new generation's key. Those that there are keep theirs. */
  readonly keySize: 256 | 384;
}

/** Milliseconds. */
export interface AuthorityPeriods {
  readonly lifeMs: number;
  /** Between a generation being seen everywhere and its first leaf: mounted files follow an object within minutes. */
  readonly settleMs: number;
}

/** When something is due in the life of a generation. Milliseconds since the Unix epoch. */
export interface GenerationSchedule {
  /** The next one is made. */
  readonly prepareAtMs: number;
  /** The next one signs, once it is seen everywhere. */
  readonly activateAtMs: number;
  /** The next one signs, whatever is missing. */
  readonly deadlineMs: number;
  /** No deadline is later, unless the next one was made but now. */
  readonly lastResortMs: number;
  /** How long after a generation was made a namespace that does not carry it is waited for, milliseconds. */
  readonly excludeAfterMs: number;
}

const SETTLE_MS = 10 * 60_000;

/** The periods of an installation. */
export function authorityPeriods({
  lifeMs,
  acceleration,
}: Pick<AuthoritySettings, 'lifeMs' | 'acceleration'>): AuthorityPeriods {
  return { lifeMs: lifeMs / acceleration, settleMs: SETTLE_MS / acceleration };
}

/**
 * The schedule of a generation follows from its own life, whatever the installation says now; only namespaces are waited for no
 * longer than with a generation that would be made now.
 */
export function scheduleOf(
  { notBeforeMs, notAfterMs }: GenerationSpan,
  periods: Pick<AuthorityPeriods, 'lifeMs'>,
): GenerationSchedule {
  const madeAtMs = madeAt({ notBeforeMs });
  const lifeMs = Math.max(0, notAfterMs - madeAtMs);
  const at = (fraction: number): number => Math.floor(madeAtMs + lifeMs * fraction);
  return {
    prepareAtMs: at(1 / 2),
    activateAtMs: at(5 / 6),
    deadlineMs: at(11 / 12),
    lastResortMs: at(23 / 24),
    excludeAfterMs: Math.min(lifeMs, periods.lifeMs) / 24,
  };
}

/** The schedule of a generation that was given: its life begins when it is met. */
export function scheduleOfGiven(
  { preparedAtMs, notAfterMs }: { readonly preparedAtMs: number; readonly notAfterMs: number },
  periods: Pick<AuthorityPeriods, 'lifeMs'>,
): GenerationSchedule {
  return scheduleOf({ id: '', notBeforeMs: preparedAtMs - BACKDATE_MS, notAfterMs }, periods);
}

/** When a generation was made: its certificate is valid a little longer than that. */
export function madeAt({ notBeforeMs }: Pick<GenerationSpan, 'notBeforeMs'>): number {
  return notBeforeMs + BACKDATE_MS;
}
