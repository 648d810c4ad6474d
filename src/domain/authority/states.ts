/** What is remembered of generations: what a step makes of it, and how it is found again when it was lost. */

import type { GenerationFacts, GenerationSpan, GenerationState } from './facts.ts';
import { madeAt } from './periods.ts';
import type { AuthorityStep } from './steps.ts';

/** What is known when states are found again. */
export interface Recovery {
  /** Of the Secret. */
  readonly generations: readonly GenerationSpan[];
  /** Those that have signed a leaf, as the ledger says. */
  readonly haveSigned: ReadonlySet<string>;
  readonly nowMs: number;
}

/**
 * What a step makes of the states.
 *
 * @param madeId Of the generation that `make` has made.
 * @returns One state for each generation that is trusted then; the same list when nothing changes.
 */
export function afterStep(
  generations: readonly GenerationFacts[],
  step: AuthorityStep,
  { nowMs, madeId = '' }: { readonly nowMs: number; readonly madeId?: string },
): readonly GenerationState[] {
  const changed = (id: string, change: Partial<GenerationState>): readonly GenerationState[] =>
    generations.map((each) => stateOf(each.id === id ? { ...each, ...change } : each));
  switch (step.kind) {
    case 'make': {
      // The first one is in no bundle, and nothing else is.
      const first = { phase: 'signing', seenSinceMs: nowMs, activatedAtMs: nowMs } as const;
      const isFirst = generations.length === 0;
      return [
        ...generations.map(stateOf),
        { id: madeId, preparedAtMs: nowMs, ...(isFirst ? first : ({ phase: 'prepared' } as const)) },
      ];
    }
    case 'note-seen':
      return changed(step.id, { seenSinceMs: step.isSeen ? nowMs : undefined });
    case 'taint': {
      const { phase, heldLeaves = 0 } = generations.find(({ id }) => id === step.id) ?? {};
      const reissue =
        phase === 'retiring' && heldLeaves > 0 ? { reissueTotal: heldLeaves, reissuedAtMs: undefined } : {};
      return changed(step.id, { taintedAtMs: nowMs, ...reissue });
    }
    case 'reissued':
      return changed(step.id, { reissuedAtMs: nowMs });
    case 'activate':
      return generations.map((each) => activated(each, step.id, nowMs));
    case 'drop':
      return generations.filter(({ id }) => id !== step.id).map(stateOf);
    case 'wait':
      return generations.map(stateOf);
  }
}

function activated(generation: GenerationFacts, id: string, nowMs: number): GenerationState {
  if (generation.id === id) {
    const fresh = { retiringSinceMs: undefined, reissueTotal: undefined, reissuedAtMs: undefined };
    return stateOf({ ...generation, ...fresh, phase: 'signing', activatedAtMs: nowMs });
  }
  if (generation.phase !== 'signing') return stateOf(generation);
  const reissue = { reissueTotal: generation.heldLeaves, reissuedAtMs: undefined };
  return stateOf({ ...generation, ...reissue, phase: 'retiring', retiringSinceMs: nowMs });
}

/**
 * The states that were stored, for the generations that there are. One that nobody knows joins as prepared: a leader that
 * made it ended before it could say so. When none was stored, or more than one signs, they are found again from
 * what there is: of those that have signed the youngest signs, else the oldest; it is trusted for the longest time.
 */
export function recoverStates(
  stored: readonly GenerationState[] | undefined,
  recovery: Recovery,
): readonly GenerationState[] {
  const { generations, nowMs } = recovery;
  const isSound = (stored ?? []).filter(({ phase }) => phase === 'signing').length === 1;
  if (stored === undefined || !isSound) return rebuilt(recovery);
  return inOrder(generations).map(
    ({ id }) => stored.find((each) => each.id === id) ?? { id, phase: 'prepared', preparedAtMs: nowMs },
  );
}

function rebuilt({ generations, haveSigned, nowMs }: Recovery): readonly GenerationState[] {
  const sorted = inOrder(generations);
  const usable = sorted.filter(({ notBeforeMs, notAfterMs }) => notBeforeMs <= nowMs && nowMs < notAfterMs);
  const signing = usable.findLast(({ id }) => haveSigned.has(id)) ?? usable[0];
  const at = signing === undefined ? -1 : sorted.indexOf(signing);
  return sorted.map((each, index) => {
    const base = { id: each.id, preparedAtMs: nowMs };
    if (index === at) return { ...base, phase: 'signing', activatedAtMs: madeAt(each) };
    return index < at || haveSigned.has(each.id)
      ? { ...base, phase: 'retiring', retiringSinceMs: nowMs }
      : { ...base, phase: 'prepared' };
  });
}

/** Oldest first; in this order they stand in every bundle. */
export function inOrder<T extends GenerationSpan>(generations: readonly T[]): readonly T[] {
  return generations.toSorted(
    (left, right) => left.notBeforeMs - right.notBeforeMs || (left.id < right.id ? -1 : 1),
  );
}

/** What of the facts is remembered. */
export function stateOf(facts: GenerationState): GenerationState {
  const { id, phase, preparedAtMs, seenSinceMs, activatedAtMs, retiringSinceMs } = facts;
  const { taintedAtMs, reissueTotal, reissuedAtMs } = facts;
  return {
    id,
    phase,
    preparedAtMs,
    ...(seenSinceMs === undefined ? {} : { seenSinceMs }),
    ...(activatedAtMs === undefined ? {} : { activatedAtMs }),
    ...(retiringSinceMs === undefined ? {} : { retiringSinceMs }),
    ...(taintedAtMs === undefined ? {} : { taintedAtMs }),
    ...(reissueTotal === undefined ? {} : { reissueTotal }),
    ...(reissuedAtMs === undefined ? {} : { reissuedAtMs }),
  };
}
