/**
 * What to do about the authority next: one step at a time, each safe to be done again. Facts in, decision out.
 *
 * A generation is made, then seen everywhere, then signs, then is dropped when its last leaf is over. Nothing here reads a
 * clock or a cluster.
 */

import type { GenerationFacts, Lacking } from './facts.ts';
import { type GivenSituation, isAskedAway, usableGiven } from './given-choice.ts';
import { type AuthorityPeriods, type GenerationSchedule, scheduleOf, scheduleOfGiven } from './periods.ts';
import type { AuthorityStep } from './steps.ts';
import { deadlineOf, excludeAt, type RotationReason, type Succession } from './succession.ts';

/**
 * Keys of all generations are in one Secret, and certificates of all in every bundle. No more are made than these, but for one that is
 * made because nothing else can sign; `authority-record.ts` reads a few more.
 */
const MAX_GENERATIONS = 6;

/** What the decision depends on. */
export interface AuthorityPlanInput extends GivenSituation {
  readonly nowMs: number;
  /** False while this machine and the API server disagree about the time: then nothing is given up. */
  readonly isClockTrusted: boolean;
  readonly periods: AuthorityPeriods;
  readonly generations: readonly GenerationFacts[];
  /** False once the Secret with the keys could not be written: then nothing is made or dropped. */
  readonly isSecretWritable: boolean;
  /** False while Secrets of some agents cannot be looked at: `heldLeaves` may miss some. */
  readonly areLeavesSeen: boolean;
  /** When this leader began: only what it has written itself since then is sure to be on its way. */
  readonly takenOverAtMs: number;
  /** False while nobody can tell what carries a generation: then none is seen, excluded or put to work for that. */
  readonly isLookedAt: boolean;
  /** What has not been seen to carry a generation. */
  readonly lacking: (id: string) => Lacking;
}

/** The step, and what people are to know meanwhile. */
export interface AuthorityPlan {
  readonly step: AuthorityStep;
  /** Namespaces that are waited for no more. */
  readonly excluded: Lacking;
  /** What the next step waits for; a sentence with full stop. */
  readonly message: string;
}

type Found = Pick<AuthorityPlan, 'step'> & Partial<Omit<AuthorityPlan, 'step'>>;

/**
 * Decides the next step.
 *
 * @returns In this order: what is revoked and does not sign, since nothing needs to be noted for it, and the state may not be
 *   writable; marks of what is tainted; something that can sign; what is revoked, which had to wait for that; what else is to be
 *   dropped; the successor, made at half of the life or at once when the signing one is tainted, revoked or asked away, and
 *   put to work when it is seen everywhere and has settled.
 *
 * Errors: none. Deterministic.
 */
export function planAuthority(asked: AuthorityPlanInput): AuthorityPlan {
  const input = { ...asked, given: usableGiven(asked) };
  const signing = input.generations.find(({ phase }) => phase === 'signing');
  const canSign = signing !== undefined && !isOver(signing, input);
  const found =
    (canSign ? dropRevoked(input) : undefined) ??
    markTainted(input) ??
    noteReissued(input) ??
    (canSign ? undefined : signAgain(input, signing)) ??
    dropRevoked(input) ??
    drop(input) ??
    (signing === undefined ? undefined : succeed(input, signing));
  const { step = { kind: 'make', reason: 'First' }, excluded = new Map(), message = '' } = found ?? {};
  const held = step.kind === 'make' ? heldBack(input, signing) : undefined;
  return held ?? { step, excluded, message };
}

/** Why no generation can be made although one is wanted: it would have to be given, or cannot be kept. */
function heldBack(
  input: AuthorityPlanInput,
  signing: GenerationFacts | undefined,
): AuthorityPlan | undefined {
  const { given, generations, isSecretWritable } = input;
  if (!isSecretWritable) {
    const message = 'The next generation is made as soon as the Secret with the keys can be written.';
    return { step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY }, excluded: new Map(), message };
  }
  const isOwnCourse = signing !== undefined && !signing.isGiven;
  if (given === undefined || (given.kind === 'refused' && isOwnCourse)) return undefined;
  if (given.kind === 'good' && !generations.some(({ id }) => id === given.id)) return undefined;
  const message =
    given.kind === 'refused'
      ? `No generation is made, since the one that is given cannot be used. ${given.message}.`
      : `Generation ${given.id} is the one that is given; the next one is made when its Secret holds another authority.`;
  const untilMs = Math.min(...dropsAhead(input), ...askedAhead(input));
  return { step: { kind: 'wait', untilMs }, excluded: new Map(), message };
}

function markTainted({ generations, intent }: AuthorityPlanInput): Found | undefined {
  const fresh = generations.find(
    ({ id, taintedAtMs }) => taintedAtMs === undefined && isAskedAway(id, intent),
  );
  return fresh && { step: { kind: 'taint', id: fresh.id } };
}

/** No leaf is left in any Secret; where some cannot be looked at, none that lives in the ledger. */
function noteReissued({ generations, areLeavesSeen, nowMs }: AuthorityPlanInput): Found | undefined {
  const done = generations.find(
    ({ phase, reissueTotal, reissuedAtMs, heldLeaves, lastLeafEndsAtMs = 0 }) =>
      phase === 'retiring' &&
      reissueTotal !== undefined &&
      reissuedAtMs === undefined &&
      heldLeaves === 0 &&
      (areLeavesSeen || lastLeafEndsAtMs <= nowMs),
  );
  return done && { step: { kind: 'reissued', id: done.id } };
}

/** Nothing can sign: whatever is trusted already goes first, the youngest of it; then whatever there is. */
function signAgain(input: AuthorityPlanInput, signing: GenerationFacts | undefined): Found | undefined {
  const { generations, intent } = input;
  if (generations.length === 0) return { step: { kind: 'make', reason: 'First' } };
  const usable = generations.filter(
    (each) => each.id !== signing?.id && !isOver(each, input) && !intent.revoke.has(each.id),
  );
  const rank = ({ taintedAtMs, phase, seenSinceMs }: GenerationFacts): number =>
    (taintedAtMs === undefined ? 0 : 4) + (phase === 'prepared' && seenSinceMs === undefined ? 2 : 0);
  const [best] = [...usable].sort(
    (left, right) => rank(left) - rank(right) || right.notBeforeMs - left.notBeforeMs,
  );
  if (best === undefined) return { step: { kind: 'make', reason: signing === undefined ? 'First' : 'Due' } };
  const missing = best.phase === 'prepared' ? input.lacking(best.id) : new Map<string, string>();
  return { step: { kind: 'activate', id: best.id, reason: 'NothingElse', missing } };
}

function isOver({ notAfterMs }: GenerationFacts, { nowMs }: AuthorityPlanInput): boolean {
  return nowMs >= notAfterMs;
}

function dropRevoked({ generations, intent, isSecretWritable }: AuthorityPlanInput): Found | undefined {
  if (!isSecretWritable) return undefined;
  const revoked = generations.find(({ id, phase }) => phase !== 'signing' && intent.revoke.has(id));
  return revoked && { step: { kind: 'drop', id: revoked.id, reason: 'Revoked' } };
}

function drop(input: AuthorityPlanInput): Found | undefined {
  if (!input.isSecretWritable) return undefined;
  for (const generation of input.generations) {
    const { id, phase, taintedAtMs } = generation;
    if (phase === 'signing') continue;
    if (phase === 'prepared' && (taintedAtMs !== undefined || isUnwanted(generation, input)))
      return { step: { kind: 'drop', id, reason: 'Unused' } };
    if (phase === 'retiring' && isRetired(generation, input))
      return { step: { kind: 'drop', id, reason: 'Retired' } };
  }
  return undefined;
}

/** It was to sign next, and another is given now, or none. */
function isUnwanted({ id, isGiven }: GenerationFacts, { given }: AuthorityPlanInput): boolean {
  return given === undefined ? isGiven === true : given.kind === 'good' && given.id !== id;
}

/** No leaf of it lives, and what it signed last has left the mounted files too. */
function isRetired(
  generation: GenerationFacts,
  { nowMs, isClockTrusted, periods }: AuthorityPlanInput,
): boolean {
  return isClockTrusted && generation.heldLeaves === 0 && nowMs >= retiresAtMs(generation, periods);
}

function retiresAtMs(
  { retiringSinceMs = 0, lastLeafEndsAtMs = 0 }: GenerationFacts,
  { settleMs }: AuthorityPeriods,
): number {
  return Math.max(retiringSinceMs, lastLeafEndsAtMs) + settleMs;
}

function succeed(input: AuthorityPlanInput, signing: GenerationFacts): Found {
  const { generations, nowMs } = input;
  const schedule = signing.isGiven
    ? scheduleOfGiven(signing, input.periods)
    : scheduleOf(signing, input.periods);
  const reason = rotationReason(input, signing, schedule);
  // Those that are to be dropped are still there when that cannot be done.
  const next = generations.find(
    (each) => each.phase === 'prepared' && each.taintedAtMs === undefined && !isUnwanted(each, input),
  );
  if (next !== undefined) return activateNext(input, { signing, next, schedule, reason });
  const untilMs = Math.min(schedule.prepareAtMs, ...dropsAhead(input), ...askedAhead(input));
  if (reason === undefined && nowMs < schedule.prepareAtMs) {
    const next = signing.isGiven
      ? 'the next one is the next that is given'
      : `the next one is made at ${instant(schedule.prepareAtMs)}`;
    const message = `Generation ${signing.id} signs; ${next}.`;
    return { step: { kind: 'wait', untilMs }, message };
  }
  if (generations.length < MAX_GENERATIONS) return { step: { kind: 'make', reason: reason ?? 'Due' } };
  const message = `Another generation is made when one of the ${generations.length} there are is retired: the leaves of ${generations[0]?.id} are not over yet.`;
  return { step: { kind: 'wait', untilMs: Math.min(...dropsAhead(input)) }, message };
}

function rotationReason(
  { intent, nowMs, given }: AuthorityPlanInput,
  { id, activatedAtMs = 0, taintedAtMs, isGiven }: GenerationFacts,
  { activateAtMs }: GenerationSchedule,
): RotationReason | undefined {
  if (intent.revoke.has(id)) return 'Revoked';
  if (taintedAtMs !== undefined) return 'Tainted';
  const { rotateBeforeMs } = intent;
  if (rotateBeforeMs !== undefined && rotateBeforeMs <= nowMs && activatedAtMs < rotateBeforeMs)
    return 'Asked';
  if (given?.kind === 'good' && given.id !== id) return 'Given';
  if (given === undefined && isGiven) return 'Withdrawn';
  return nowMs >= activateAtMs ? 'Due' : undefined;
}

function activateNext(input: AuthorityPlanInput, succession: Succession): Found {
  const { nowMs, periods, isClockTrusted } = input;
  const { next, schedule, reason } = succession;
  const { id, seenSinceMs } = next;
  if (!input.isLookedAt) return notLookedAt(input, id);
  const excludeAtMs = excludeAt(input, succession);
  const missing = input.lacking(id);
  const isExcluding = nowMs >= excludeAtMs;
  const excluded: Lacking = isExcluding ? missing : new Map();
  const isSeen = missing.size === excluded.size;
  // Seen in the time to come: a clock went back, so nobody knows for how long.
  const isNoted = seenSinceMs !== undefined && seenSinceMs <= nowMs;
  if (isSeen !== isNoted) return { step: { kind: 'note-seen', id, isSeen }, excluded };
  const readyAtMs = isNoted ? seenSinceMs + periods.settleMs : Number.POSITIVE_INFINITY;
  const deadlineMs = deadlineOf(input, succession);
  if (isClockTrusted && reason !== undefined && nowMs >= readyAtMs)
    return { step: { kind: 'activate', id, reason: 'Ready', missing }, excluded };
  if (isClockTrusted && nowMs >= deadlineMs)
    return { step: { kind: 'activate', id, reason: 'Deadline', missing }, excluded };
  const dueMs = reason === undefined ? schedule.activateAtMs : nowMs;
  const untilMs = Math.min(
    ...[Math.max(dueMs, readyAtMs), deadlineMs, ...(isExcluding ? [] : [excludeAtMs])],
    ...dropsAhead(input),
    ...askedAhead(input),
  );
  return {
    step: { kind: 'wait', untilMs },
    excluded,
    message: waitingMessage(input, succession, { missing, readyAtMs }),
  };
}

function notLookedAt(input: AuthorityPlanInput, id: string): Found {
  const untilMs = Math.min(...dropsAhead(input), ...askedAhead(input));
  return {
    step: { kind: 'wait', untilMs },
    message: `Generation ${id} waits: namespaces are not looked at yet.`,
  };
}

function waitingMessage(
  { isClockTrusted, nowMs }: AuthorityPlanInput,
  { signing, next, schedule, reason }: Succession,
  { missing, readyAtMs }: { readonly missing: Lacking; readonly readyAtMs: number },
): string {
  const subject =
    reason === 'Revoked'
      ? `Generation ${signing.id} is revoked once ${next.id} signs in its place; that`
      : `Generation ${next.id}`;
  if (!isClockTrusted) return `${subject} waits until this machine and the API server agree about the time.`;
  if (readyAtMs === Number.POSITIVE_INFINITY) {
    const [[namespace, what] = ['', '']] = missing;
    const more = missing.size > 1 ? `, and ${missing.size - 1} more` : '';
    return `${subject} waits until it is seen everywhere: namespace ${namespace} (${what})${more}.`;
  }
  const atMs = Math.max(reason === undefined ? schedule.activateAtMs : nowMs, readyAtMs);
  return `${subject} is seen everywhere and signs from ${instant(atMs)} on.`;
}

/** When a retiring generation may be dropped. */
function dropsAhead({ generations, periods, nowMs }: AuthorityPlanInput): readonly number[] {
  return generations
    .filter(({ phase }) => phase === 'retiring')
    .map((each) => retiresAtMs(each, periods))
    .filter((atMs) => atMs > nowMs);
}

function askedAhead({ intent: { rotateBeforeMs }, nowMs }: AuthorityPlanInput): readonly number[] {
  return rotateBeforeMs !== undefined && rotateBeforeMs > nowMs ? [rotateBeforeMs] : [];
}

function instant(atMs: number): string {
  return new Date(Math.ceil(atMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
