/**
 * Keeps the authority true: one step of its plan after the other, kept as it is in between, never replaced by surprise.
 *
 * What this process has taken over stays in memory: a Secret or a state that is deleted or altered while it runs is put
 * back. A Secret that is damaged before anybody has read it is left alone, and nothing is signed until it is mended.
 */

import { AUTHORITY_INTENT_NAME, AUTHORITY_SECRET_NAME } from '../../api/group.ts';
import { type GenerationFacts, NO_INTENT } from '../../domain/authority/facts.ts';
import type { GivenSituation } from '../../domain/authority/given-choice.ts';
import { type AuthorityPlan, planAuthority } from '../../domain/authority/plan.ts';
import { isOfSecret } from '../../domain/authority/steps.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { keyOf } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import { eventsOf } from './authority-events.ts';
import type { AuthorityKeeper, KeeperPorts } from './authority-keeper.ts';
import { type AuthorityReport, reportTexts } from './authority-report.ts';
import { AuthorityStall } from './authority-stall.ts';
import { AuthorityTeller, type TellerPorts } from './authority-teller.ts';
import { type Coverage, type CoveragePorts, seeCoverage } from './coverage.ts';
import { type GivenAuthority, givenFacts } from './given-record.ts';
import type { IntentRecord } from './intent-record.ts';

/** What the reconciler is made of. */
export interface AuthorityPorts
  extends Pick<KeeperPorts, 'book' | 'namespace' | 'nowMs' | 'stored'>,
    Pick<CoveragePorts, 'view' | 'trusted' | 'rejected'>,
    Pick<TellerPorts, 'given' | 'tell'> {
  readonly keeper: AuthorityKeeper;
  readonly leaves: CoveragePorts['leaves'] & { readonly isComplete: boolean };
  /** Of the one ConfigMap. */
  readonly intents: Cache<IntentRecord, ConfigMap>;
  /** Notes the bundle that is published from now on, if anything is in use. */
  readonly note: () => void;
  readonly isClockTrusted: () => boolean;
  readonly monotonicMs: () => number;
  readonly observer: AuthorityObserver;
}

/** Where the reconciler reports to; none of the functions may throw. */
export interface AuthorityObserver {
  saw(report: AuthorityReport): void;
  /** A step was carried out. */
  acted(step: 'make' | 'activate' | 'force' | 'taint' | 'drop' | 'rebuild'): void;
  /** Whether the last look could not do what was due. */
  stalled(isStalled: boolean): void;
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

/** Why the Secret could not be written. */
interface SecretFailure {
  readonly error: unknown;
}

/** What was found, and what is to be done about it. */
interface Look {
  readonly facts: readonly GenerationFacts[];
  readonly plan: AuthorityPlan;
  readonly report: AuthorityReport;
  readonly given: GivenAuthority | undefined;
}

/** What is remembered from one reconcile to the next. Nothing of it is needed for being right. */
class Round {
  readonly stall: AuthorityStall;
  readonly #ports: AuthorityPorts;
  readonly #teller: AuthorityTeller;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: AuthorityPorts) {
    this.#ports = ports;
    this.#teller = new AuthorityTeller(ports);
    this.stall = new AuthorityStall({ ...ports, tell: (event) => this.#teller.tell(event) });
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
      if (taken.rebuilt) this.#teller.rebuilt();
      // What the leader before has published is found in namespaces only by who knows its text.
      if (taken.isStored) keeper.adopt();
    }
    this.#ports.note();
    const failed = await this.#mend(signal);
    this.#teller.problems(this.#intent());
    return this.#goOn(failed, signal);
  }

  /**
   * Does one step after the other. Who signs is said by the state alone: a Secret that cannot be written keeps back what needs
   * it, and ends the look only when nothing else is due.
   *
   * @param failed Why the Secret could not be written before.
   */
  async #goOn(failed: SecretFailure | undefined, signal: AbortSignal): Promise<Outcome> {
    let failure = failed;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const look = this.#look(failure === undefined);
      if (look.plan.step.kind === 'wait') {
        const { untilMs } = look.plan.step;
        // Whatever the state says of generations is kept for the Secret that may come back.
        if (failure !== undefined && look.facts.length === 0) break;
        const isSaid = await this.#say(look.report, signal);
        this.#ports.keeper.adopt();
        if (failure !== undefined) break;
        return this.#waiting(look, { untilMs, isSaid });
      }
      try {
        await this.#carryOut(look, signal);
      } catch (error) {
        if (failure !== undefined || !isOfSecret(look.plan.step)) throw error;
        failure = { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return { kind: 'recheck', atMs: this.#ports.nowMs() + NOT_YET_MS };
  }

  #look(isSecretWritable: boolean): Look {
    const { keeper, nowMs, isClockTrusted, given: source, observer } = this.#ports;
    const { periods, takenOverAtMs } = keeper;
    const coverage = seeCoverage(this.#ports, { nowMs: nowMs(), settleMs: periods.settleMs });
    const facts = factsOf(keeper, coverage);
    const retiring = new Set(facts.filter(({ phase }) => phase === 'retiring').map(({ id }) => id));
    const { generations, refused } = keeper;
    const given = source?.find({ generations, retiring, refused });
    const situation = this.#situation(facts, given);
    const { isLookedAt, areLeavesSeen, lacking } = coverage;
    const plan = planAuthority({
      ...situation,
      generations: facts,
      nowMs: nowMs(),
      isClockTrusted: isClockTrusted(),
      ...{ periods, takenOverAtMs, isLookedAt, areLeavesSeen, isSecretWritable, lacking },
    });
    const report = {
      ...this.#report(facts, plan, coverage),
      given: this.#teller.given(given, situation, facts),
    };
    observer.saw(report);
    this.#teller.excluded(facts, plan.excluded);
    return { facts, plan, report, given };
  }

  #situation(generations: readonly GenerationFacts[], given: GivenAuthority | undefined): GivenSituation {
    const { intent, problems } = this.#intent() ?? { intent: NO_INTENT, problems: [] };
    const isIntentRead = this.#ports.intents.state === 'synced' && problems.length === 0;
    return { generations, intent, isIntentRead, given: given && givenFacts(given) };
  }

  /** When to look again, with nothing to be done. */
  #waiting(
    { facts, plan }: Look,
    { untilMs, isSaid }: { readonly untilMs: number; readonly isSaid: boolean },
  ): Outcome {
    const { book, nowMs } = this.#ports;
    if (facts.length === 0) book.refuse(plan.message);
    const nextMs = this.#nextMs(untilMs, facts, plan);
    return { kind: 'recheck', atMs: isSaid ? nextMs : Math.min(nextMs, nowMs() + SAY_MS) };
  }

  async #carryOut({ facts, plan: { step }, report, given }: Look, signal: AbortSignal): Promise<void> {
    const { keeper, observer } = this.#ports;
    if (step.kind === 'wait') return;
    const taken = given?.kind === 'authority' ? given.authority : undefined;
    const madeId = await keeper.carryOut(step, facts, { texts: reportTexts(report), given: taken, signal });
    if (step.kind !== 'note-seen' && step.kind !== 'reissued') observer.acted(step.kind);
    if (step.kind === 'activate' && step.missing.size > 0) observer.acted('force');
    for (const event of eventsOf(step, facts, madeId)) this.#teller.tell(event);
  }

  #report(generations: readonly GenerationFacts[], plan: AuthorityPlan, coverage: Coverage): AuthorityReport {
    const { problems = [], intent = NO_INTENT } = this.#intent() ?? {};
    const next = generations.find(({ phase }) => phase === 'prepared');
    const lacking = next === undefined ? new Map<string, string>() : coverage.lacking(next.id);
    const { message, excluded } = plan;
    const { namespaces } = coverage;
    return { generations, message, problems, intent, excluded, lacking, namespaces };
  }

  /** A Secret that somebody deleted or altered is put back. Resolves with why that could not be done. */
  async #mend(signal: AbortSignal): Promise<SecretFailure | undefined> {
    const { keeper, tell } = this.#ports;
    if (keeper.isWhole || keeper.generations.length === 0) return undefined;
    try {
      const metadata = await keeper.putBack(signal);
      const note = 'Put the authority back: its Secret was deleted or altered';
      tell({ kind: 'Secret', metadata }, { reason: 'Repaired', note });
      return undefined;
    } catch (error) {
      return { error };
    }
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
    // What is due and is not done waits for something else, such as a clock that can be trusted.
    const dueMs = untilMs > now ? Math.max(untilMs, now + minMs) : now + busyMs;
    return Math.min(dueMs, now + (isBusy ? busyMs : LOOK_AGAIN_MS));
  }

  #intent(): IntentRecord | undefined {
    const { intents, namespace } = this.#ports;
    return intents.get(keyOf({ namespace, name: AUTHORITY_INTENT_NAME }));
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

function problemMessage(namespace: string, problem: string): string {
  return `Secret ${namespace}/${AUTHORITY_SECRET_NAME} is not used: ${problem}. Restore it from a backup; to start anew with another authority, delete it and restart the operator. Either takes deleting ValidatingAdmissionPolicyBinding agent-trust-managed-secrets first; helm upgrade puts that back.`;
}
