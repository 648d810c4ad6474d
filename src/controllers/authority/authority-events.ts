/** What is told to people about the authority while it happens. */

import type { EventReason } from '../../api/event-reasons.ts';
import type { GenerationFacts, Lacking } from '../../domain/authority/facts.ts';
import type { GivenRefusal } from '../../domain/authority/given-refusal.ts';
import type { ActivationReason, AuthorityStep } from '../../domain/authority/steps.ts';
import type { RotationReason } from '../../domain/authority/succession.ts';

/** An event, as far as it is said here. */
export interface AuthorityEvent {
  readonly reason: EventReason;
  readonly note: string;
}

const ROTATION: Readonly<Record<RotationReason, string>> = {
  First: 'there was none that can sign',
  Due: 'half of the life of the one before is over',
  Asked: 'rotateBefore asks for it',
  Tainted: 'the one that signs is tainted',
  Revoked: 'the one that signs is revoked',
  Given: 'it is given',
  Withdrawn: 'the one that signs was given, and none is given any more',
};

const ACTIVATION: Readonly<Record<ActivationReason, string>> = {
  Ready: 'it is seen everywhere',
  Deadline: 'the one before ends soon',
  NothingElse: 'nothing else can sign',
};

const DROP = {
  Retired: 'its last leaf is over',
  Revoked: 'it is revoked; whatever still shows a leaf of it is refused',
  Unused: 'it has signed nothing, and is tainted or not the one that is given',
} as const;

/** Names in a note; the whole list is in the state. */
const MAX_NAMES = 5;

/**
 * What is said once a step was carried out.
 *
 * @param generations As they were before.
 * @param madeId Of the generation that `make` has made.
 */
export function eventsOf(
  step: AuthorityStep,
  generations: readonly GenerationFacts[],
  madeId: string,
): readonly AuthorityEvent[] {
  switch (step.kind) {
    case 'make': {
      const what =
        generations.length === 0 ? 'the first generation of the authority' : `generation ${madeId}`;
      return [{ reason: 'AuthorityPrepared', note: `Made ${what}: ${ROTATION[step.reason]}` }];
    }
    case 'activate':
      return activationEvents(step, generations);
    case 'taint':
      return taintEvents(step.id, generations);
    case 'reissued': {
      const { reissueTotal = 0 } = generations.find(({ id }) => id === step.id) ?? {};
      const note = `No Secret holds a certificate of generation ${step.id} any more; ${reissueTotal} were to be replaced`;
      return [{ reason: 'ReissueFinished', note }];
    }
    case 'drop': {
      const note = `Generation ${step.id} is trusted no more: ${DROP[step.reason]}`;
      return [{ reason: step.reason === 'Revoked' ? 'AuthorityRevoked' : 'AuthorityRetired', note }];
    }
    case 'note-seen':
    case 'wait':
      return [];
  }
}

/** What is said when an authority that is given is not used. */
export function givenEvent({ reason, message }: Pick<GivenRefusal, 'reason' | 'message'>): AuthorityEvent {
  return { reason: 'AuthorityRefused', note: `${reason}: ${message}. What was in use stays in use` };
}

/** What is said when namespaces are waited for no more. */
export function exclusionEvent(id: string, excluded: Lacking): AuthorityEvent {
  const note = `Not waiting any longer for namespaces that do not take generation ${id}: ${namesOf(excluded)}. Agents there may refuse others until they do`;
  return { reason: 'NamespaceExcluded', note };
}

/**
 * What is said when the authority cannot be written, or not be read.
 *
 * @param problem What the API server said; no full stop.
 * @param signingId Of the generation that signs meanwhile, if one does.
 */
export function stallEvent(problem: string, signingId: string | undefined): AuthorityEvent {
  const meanwhile =
    signingId === undefined ? 'Nothing signs meanwhile' : `Generation ${signingId} goes on signing`;
  const note = `The rotation stands still: ${problem}. ${meanwhile}; it is tried again all the time`;
  return { reason: 'AuthorityStalled', note };
}

/** What is said of an intent that cannot be read. */
export function intentEvent(problems: readonly string[]): AuthorityEvent {
  return { reason: 'IntentRefused', note: `Nothing of it is done: ${problems.join('; ')}` };
}

function activationEvents(
  { id, reason, missing }: Extract<AuthorityStep, { kind: 'activate' }>,
  generations: readonly GenerationFacts[],
): readonly AuthorityEvent[] {
  const before = generations.find(({ phase }) => phase === 'signing');
  const activated: AuthorityEvent = {
    reason: 'AuthorityActivated',
    note: `Generation ${id} signs from now on: ${ACTIVATION[reason]}`,
  };
  const forced: readonly AuthorityEvent[] =
    missing.size === 0
      ? []
      : [
          {
            reason: 'AuthorityForced',
            note: `Generation ${id} signs although it is not seen everywhere: ${namesOf(missing)}. Agents there may refuse others until they carry it`,
          },
        ];
  return [activated, ...forced, ...(before === undefined ? [] : [startOf(before)])];
}

function taintEvents(id: string, generations: readonly GenerationFacts[]): readonly AuthorityEvent[] {
  const generation = generations.find((each) => each.id === id);
  const isSigning = generation?.phase === 'signing';
  const tainted: AuthorityEvent = {
    reason: 'AuthorityTainted',
    note: `Generation ${id} is tainted${isSigning ? '; its certificates are replaced as soon as another one signs' : ''}`,
  };
  const isRetiring = generation?.phase === 'retiring' && generation.heldLeaves > 0;
  return isRetiring ? [tainted, startOf(generation)] : [tainted];
}

function startOf({ id, heldLeaves }: GenerationFacts): AuthorityEvent {
  const note = `Replacing ${heldLeaves} certificates that generation ${id} has signed`;
  return { reason: 'ReissueStarted', note };
}

function namesOf(lacking: Lacking): string {
  const named = [...lacking].slice(0, MAX_NAMES).map(([namespace, what]) => `${namespace} (${what})`);
  const more = lacking.size - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
