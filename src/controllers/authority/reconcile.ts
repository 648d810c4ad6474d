/**
 * Keeps the authority true: one step of its plan after the other, kept as it is in between, never replaced by surprise.
 *
 * What this process has taken over stays in memory: a Secret or a state that is deleted or altered while it runs is put
 * back. A Secret that is damaged before anybody has read it is left alone, and nothing is signed until it is mended.
 */

import { AUTHORITY_INTENT_NAME, AUTHORITY_SECRET_NAME, AUTHORITY_STATE_NAME } from '../../api/group.ts';
import { type GenerationFacts, type GivenFacts, NO_INTENT } from '../../domain/authority/facts.ts';
import { type AuthorityPlan, isAskedAway, planAuthority } from '../../domain/authority/plan.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import {
  type AuthorityEvent,
  eventsOf,
  exclusionEvent,
  givenEvent,
  intentEvent,
} from './authority-events.ts';
import type { AuthorityKeeper, KeeperPorts } from './authority-keeper.ts';
import { type AuthorityReport, reportTexts } from './authority-report.ts';
import { AuthorityStall } from './authority-stall.ts';
import { type Coverage, type CoveragePorts, seeCoverage } from './coverage.ts';
import type { GivenAmong, GivenAuthority } from './given-record.ts';
import type { IntentRecord } from './intent-record.ts';

/** What the reconciler is made of. */
export interface AuthorityPorts
  extends Pick<KeeperPorts, 'book' | 'namespace' | 'nowMs' | 'stored'>,
    Pick<CoveragePorts, 'view' | 'trusted' | 'rejected'> {
  readonly keeper: AuthorityKeeper;
  readonly leaves: CoveragePorts['leaves'] & { readonly isComplete: boolean };
  /** Of the one ConfigMap. */
  readonly intents: Cache<IntentRecord, ConfigMap>;
  /** What is given in place of generations that are made here; undefined: nothing is to be given. */
  readonly given: GivenSource | undefined;
  /** Notes the bundle that is published from now on, if anything is in use. */
  readonly note: () => void;
  readonly isClockTrusted: () => boolean;
  readonly monotonicMs: () => number;
  readonly observer: AuthorityObserver;
  /** Tells people about an object of the operator's namespace. */
  readonly tell: (
    regarding: { readonly kind: 'Secret' | 'ConfigMap'; readonly metadata: ObjectMeta },
    event: AuthorityEvent,
  ) => void;
}

/** Where the reconciler reports to; none of the functions may throw. */
export interface AuthorityObserver {
  saw(report: AuthorityReport): void;
  /** A step was carried out. */
  acted(step: 'make' | 'activate' | 'force' | 'taint' | 'drop' | 'rebuild'): void;
  /** Whether the last look could not do what was due. */
  stalled(isStalled: boolean): void;
}

/** An authority that somebody gives. */
export interface GivenSource {
  /** Of the Secret. */
  readonly secretName: string;
  find(among: GivenAmong): GivenAuthority;
  /** The Secret, as far as it is known. */
  readonly metadata: ObjectMeta;
}

/** Steps that follow each other at once; what would be more is a mistake that must not take the server's time. */
const MAX_STEPS = 12;
const LOOK_AGAIN_MS = 30_000;
const NOT_YET_MS = 1_000;
/** While something is under way it is looked at twenty times in the time that it settles. */
const BUSY = { minMs: 100, maxMs: 5_000, perSettle: 20 };
/** Progress is written this often. */
const SAY_MS = 2_000;

/** There is one authority, so there is one key, whatever it is called. Idempotent. */
export function authorityReconciler(ports: AuthorityPorts): Reconcile {
  const round = new Round(ports);
  return async (_key, { signal }) => {
    try {
      const outcome = await round.run(signal);
      round.stall.isOver(outcome);
      return outcome;
    } catch (error) {
      round.stall.because(error);
      throw error;
    }
  };
}

/** What is remembered from one reconcile to the next. Nothing of it is needed for being right. */
class Round {
  readonly stall: AuthorityStall;
  readonly #ports: AuthorityPorts;
  #toldProblems = '';
  #toldRefusal = '';
  #toldExcluded: ReadonlySet<string> = new Set();
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: AuthorityPorts) {
    this.#ports = ports;
    this.stall = new AuthorityStall({ ...ports, tell: (event) => this.#tell(event) });
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    const { keeper, book, namespace, leaves, nowMs } = this.#ports;
    // The ledger tells which generation has signed, and which may go.
    if (!leaves.isComplete) return { kind: 'recheck', atMs: nowMs() + NOT_YET_MS };
    if (!keeper.isTaken) {
      const taken = await keeper.takeOver(signal);
      if (taken.kind === 'broken') {
        book.refuse(problemMessage(namespace, taken.problem));
        return { kind: 'stalled', reason: 'AuthorityUnavailable' };
      }
      if (taken.rebuilt) this.#tellRebuilt();
      // What the leader before has published is found in namespaces only by who knows its text.
      if (taken.isStored) keeper.adopt();
    }
    this.#ports.note();
    await this.#mend(signal);
    this.#tellProblems();
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const coverage = seeCoverage(this.#ports, { nowMs: nowMs(), settleMs: keeper.periods.settleMs });
      const facts = factsOf(keeper, coverage);
      const given = this.#given(facts);
      const plan = this.#plan(facts, coverage, given);
      const report = { ...this.#report(facts, plan, coverage), given: this.#sayGiven(given, facts) };
      this.#ports.observer.saw(report);
      this.#tellExcluded(facts, plan);
      if (plan.step.kind === 'wait') {
        const isSaid = await this.#say(report, signal);
        keeper.adopt();
        if (facts.length === 0) book.refuse(plan.message);
        const nextMs = this.#nextMs(plan.step.untilMs, facts, plan);
        return { kind: 'recheck', atMs: isSaid ? nextMs : Math.min(nextMs, nowMs() + SAY_MS) };
      }
      const { step } = plan;
      const taken = given?.kind === 'authority' ? given.authority : undefined;
      const madeId = await keeper.carryOut(step, facts, { texts: reportTexts(report), given: taken, signal });
      if (step.kind !== 'note-seen' && step.kind !== 'reissued') this.#ports.observer.acted(step.kind);
      if (step.kind === 'activate' && step.missing.size > 0) this.#ports.observer.acted('force');
      for (const event of eventsOf(step, facts, madeId)) this.#tell(event);
    }
    return { kind: 'recheck', atMs: nowMs() + NOT_YET_MS };
  }

  #given(facts: readonly GenerationFacts[]): GivenAuthority | undefined {
    const { given, keeper } = this.#ports;
    const retiring = facts.filter(({ phase }) => phase === 'retiring').map(({ id }) => id);
    return given?.find({ generations: keeper.generations, retiring: new Set(retiring) });
  }

  /** Tells a refusal once, and gives what the state says of it. */
  #sayGiven(given: GivenAuthority | undefined, facts: readonly GenerationFacts[]): string | undefined {
    const { given: source, namespace, tell } = this.#ports;
    if (source === undefined || given === undefined) return undefined;
    const secret = `Secret ${namespace}/${source.secretName}`;
    const said = given.kind === 'refuse' ? `${given.reason}: ${given.message}` : '';
    if (given.kind === 'refuse' && said !== this.#toldRefusal)
      tell({ kind: 'Secret', metadata: source.metadata }, givenEvent(given));
    this.#toldRefusal = said;
    if (given.kind === 'refuse') return `${secret} is refused: ${said}.`;
    const { id } = given.authority;
    const phase = facts.find((each) => each.id === id)?.phase;
    if (phase === undefined && isAskedAway(id, this.#intent()?.intent ?? NO_INTENT))
      return `${secret} is refused: generation ${id} is tainted or revoked: give another one.`;
    return `${secret} holds generation ${id}, which is ${phase ?? 'not taken yet'}.`;
  }

  #plan(
    generations: readonly GenerationFacts[],
    { isLookedAt, lacking }: Coverage,
    given: GivenAuthority | undefined,
  ): AuthorityPlan {
    const { keeper, nowMs, isClockTrusted } = this.#ports;
    const intent = this.#intent()?.intent ?? NO_INTENT;
    const { periods, takenOverAtMs } = keeper;
    return planAuthority({
      nowMs: nowMs(),
      isClockTrusted: isClockTrusted(),
      periods,
      generations,
      intent,
      given: given && givenFacts(given),
      takenOverAtMs,
      isLookedAt,
      lacking,
    });
  }

  #report(generations: readonly GenerationFacts[], plan: AuthorityPlan, coverage: Coverage): AuthorityReport {
    const { problems = [], intent = NO_INTENT } = this.#intent() ?? {};
    const next = generations.find(({ phase }) => phase === 'prepared');
    const lacking = next === undefined ? new Map<string, string>() : coverage.lacking(next.id);
    const { message, excluded } = plan;
    const { namespaces } = coverage;
    return { generations, message, problems, intent, excluded, lacking, namespaces };
  }

  /** A Secret that somebody deleted or altered is put back. */
  async #mend(signal: AbortSignal): Promise<void> {
    const { keeper, tell } = this.#ports;
    if (keeper.isWhole || keeper.generations.length === 0) return;
    const metadata = await keeper.putBack(signal);
    const note = 'Put the authority back: its Secret was deleted or altered';
    tell({ kind: 'Secret', metadata }, { reason: 'Repaired', note });
  }

  /** Progress alone does not write the ConfigMap each time. Resolves with whether it says all of it. */
  async #say(report: AuthorityReport, signal: AbortSignal): Promise<boolean> {
    const { keeper, monotonicMs } = this.#ports;
    const isEarly = monotonicMs() - this.#saidAtMs < SAY_MS;
    if (isEarly && keeper.isStateWhole) return false;
    if (await keeper.say(reportTexts(report), signal)) this.#saidAtMs = monotonicMs();
    return true;
  }

  #nextMs(untilMs: number, generations: readonly GenerationFacts[], { excluded }: AuthorityPlan): number {
    const { keeper, nowMs } = this.#ports;
    const { minMs, maxMs, perSettle } = BUSY;
    const busyMs = Math.min(maxMs, Math.max(minMs, keeper.periods.settleMs / perSettle));
    const isBusy =
      excluded.size > 0 ||
      generations.some(({ phase }) => phase === 'prepared') ||
      generations.some((each) => each.phase === 'retiring' && each.reissuedAtMs === undefined);
    const now = nowMs();
    return Math.min(Math.max(untilMs, now + minMs), now + (isBusy ? busyMs : LOOK_AGAIN_MS));
  }

  #intent(): IntentRecord | undefined {
    const { intents, namespace } = this.#ports;
    return intents.get(keyOf({ namespace, name: AUTHORITY_INTENT_NAME }));
  }

  #tellProblems(): void {
    const found = this.#intent();
    const problems = found?.problems ?? [];
    const said = problems.join('\n');
    if (said === this.#toldProblems) return;
    this.#toldProblems = said;
    if (found === undefined || problems.length === 0) return;
    this.#ports.tell({ kind: 'ConfigMap', metadata: found.metadata }, intentEvent(problems));
  }

  #tellExcluded(generations: readonly GenerationFacts[], { excluded }: AuthorityPlan): void {
    const news = [...excluded].filter(([namespace]) => !this.#toldExcluded.has(namespace));
    this.#toldExcluded = new Set(excluded.keys());
    const next = generations.find(({ phase }) => phase === 'prepared');
    if (news.length > 0 && next !== undefined) this.#tell(exclusionEvent(next.id, new Map(news)));
  }

  #tellRebuilt(): void {
    const note =
      'The phases of the generations were lost and are found again from the Secret and the ledger; whatever was tainted by hand is taken from ConfigMap agent-trust-authority';
    this.#tell({ reason: 'AuthorityStateRebuilt', note });
    this.#ports.observer.acted('rebuild');
  }

  #tell(event: AuthorityEvent): void {
    const { stored, namespace, tell } = this.#ports;
    const target = { namespace, name: AUTHORITY_STATE_NAME };
    tell({ kind: 'ConfigMap', metadata: stored.get(keyOf(target))?.metadata ?? target }, event);
  }
}

function factsOf(keeper: AuthorityKeeper, coverage: Coverage): readonly GenerationFacts[] {
  const states = new Map(keeper.states().map((state) => [state.id, state]));
  return keeper.generations.flatMap(({ id, notBeforeMs, notAfterMs, isGiven }) => {
    const state = states.get(id);
    if (state === undefined) return [];
    const lastLeafEndsAtMs = coverage.lastLeafEndsAtMs({ ...state, notBeforeMs, notAfterMs });
    const heldLeaves = coverage.heldLeaves.get(id) ?? 0;
    const origin = isGiven ? { isGiven } : {};
    return [{ ...state, notBeforeMs, notAfterMs, lastLeafEndsAtMs, heldLeaves, ...origin }];
  });
}

function givenFacts(given: GivenAuthority): GivenFacts {
  return given.kind === 'authority'
    ? { kind: 'good', id: given.authority.id }
    : { kind: 'refused', message: `${given.reason}: ${given.message}` };
}

function problemMessage(namespace: string, problem: string): string {
  return `Secret ${namespace}/${AUTHORITY_SECRET_NAME} is not used: ${problem}. Restore it from a backup; to start anew with another authority, delete it and restart the operator. Either takes deleting ValidatingAdmissionPolicyBinding agent-trust-managed-secrets first; helm upgrade puts that back.`;
}
