/** Whether the authority that somebody gives may be taken, by what is asked for; and which of them never may again. */

import type { AuthorityIntent, GenerationFacts, GivenFacts } from './facts.ts';
import type { AuthorityStep } from './steps.ts';

/** What the choice depends on. */
export interface GivenSituation {
  /** Absent: none is to be given. */
  readonly given?: GivenFacts | undefined;
  readonly generations: readonly Pick<GenerationFacts, 'id'>[];
  readonly intent: AuthorityIntent;
  /** False while nobody can tell what is asked for; `intent` asks for nothing then. */
  readonly isIntentRead: boolean;
}

/** Whether somebody asks for that generation to be replaced. */
export function isAskedAway(id: string, { taint, revoke }: AuthorityIntent): boolean {
  return taint.has(id) || revoke.has(id);
}

/**
 * What is given, as far as it may be used. Whoever asks for a generation to go does not get it anew, as long as it is asked for;
 * nor does anybody get another one while what is asked for cannot be read. What is a generation already stays one.
 */
export function usableGiven({
  given,
  generations,
  intent,
  isIntentRead,
}: GivenSituation): GivenFacts | undefined {
  if (given?.kind !== 'good') return given;
  const { id } = given;
  if (isAskedAway(id, intent)) return refused(`Generation ${id} is tainted or revoked: give another one`);
  if (isIntentRead || generations.some((each) => each.id === id)) return given;
  return refused(`Generation ${id} is not taken as long as ConfigMap agent-trust-authority cannot be read`);
}

/** Whether what a step drops may never be given again: its key may be in wrong hands, whatever is asked for later. */
export function isRefusedForGood(
  step: Extract<AuthorityStep, { kind: 'drop' }>,
  generations: readonly GenerationFacts[],
): boolean {
  const dropped = generations.find(({ id }) => id === step.id);
  return dropped?.isGiven === true && (step.reason === 'Revoked' || dropped.taintedAtMs !== undefined);
}

function refused(message: string): GivenFacts {
  return { kind: 'refused', message };
}
