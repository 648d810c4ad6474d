/**
 * A cluster in which authorities rotate, as far as trust is concerned: two objects of the operator, bundles and Secrets with
 * what pods still have mounted of them, and leaders that end between any two writes, lose answers, or come back late.
 */

import type { AuthorityIntent, GenerationSpan, GenerationState } from '../../src/domain/authority/facts.ts';
import { lastLeafEndsAtMs } from '../../src/domain/authority/last-leaf.ts';
import { authorityPeriods } from '../../src/domain/authority/periods.ts';
import { type AuthorityPlan, planAuthority } from '../../src/domain/authority/plan.ts';
import { afterStep, inOrder, recoverStates } from '../../src/domain/authority/states.ts';
import type { AuthorityStep } from '../../src/domain/authority/steps.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How long a pod may have an older version mounted. */
const MOUNT_DELAY_MS = 2 * MINUTE_MS;
const LEAF_MS = 24 * HOUR_MS;
const LONGEST_LEAF_MS = 7 * LEAF_MS;
const BACKDATE_MS = 2 * MINUTE_MS;
export const LIFE_MS: number = 30 * 24 * HOUR_MS;
const PERIODS = authorityPeriods({ lifeMs: LIFE_MS, acceleration: 1 });

interface Versioned<T> {
  readonly version: number;
  readonly value: T;
}

interface Leaf {
  readonly generation: string;
  readonly notAfterMs: number;
}

interface Held {
  readonly leaf: Leaf;
  readonly carries: readonly string[];
}

/** Every version of a file, with the instant at which the next one took its place. */
class Mounted<T> {
  #versions: { readonly value: T; untilMs: number }[] = [];

  put(value: T, nowMs: number): void {
    const last = this.#versions.at(-1);
    if (last !== undefined) last.untilMs = nowMs;
    this.#versions = this.#versions.filter(({ untilMs }) => untilMs + MOUNT_DELAY_MS >= nowMs);
    this.#versions.push({ value, untilMs: Number.POSITIVE_INFINITY });
  }

  get newest(): T | undefined {
    return this.#versions.at(-1)?.value;
  }

  /** Those that some pod may still read. */
  readable(nowMs: number): readonly T[] {
    return this.#versions.filter(({ untilMs }) => untilMs + MOUNT_DELAY_MS > nowMs).map(({ value }) => value);
  }
}

/**
 * What an agent gets of a leader. `withheld`: no leaf, since its spec is not allowed, another has its DNS name, its issuer does not
 * answer, or mending pauses; what is around the one that it has is kept. `unseen`: a leaf as any other, which no cache shows.
 * `wiped`: none, and the one that it has is taken away.
 */
export type Treatment = 'served' | 'withheld' | 'unseen' | 'wiped';

/** A namespace with one agent. */
class Namespace {
  readonly bundle: Mounted<readonly string[]> = new Mounted();
  /** Undefined in it: there was one, and is none. */
  readonly secret: Mounted<Held | undefined> = new Mounted();
  refuses = false;
  treatment: Treatment = 'served';
  /** Generations that sign although they were not seen here. */
  readonly excused: Set<string> = new Set();
}

interface Leader {
  readonly epoch: number;
  generations: readonly GenerationSpan[];
  states: readonly GenerationState[];
  /** What it has put into use; none before it has taken over. */
  used: { readonly trusted: readonly string[]; readonly signing: string | undefined };
  /** Texts of bundles that it knows: what it has put into use itself. */
  readonly noted: Set<string>;
  readonly takenOverAtMs: number;
  secretVersion: number;
  stateVersion: number;
}

/** What becomes of a write: done, not sent because the leader ended, done with the answer lost, or refused by the server. */
export type Fate = 'done' | 'crash-before' | 'crash-after' | 'answer-lost' | 'refused';

/** What a leader does next goes like this: its first write, its second write. */
export type Fates = readonly [Fate, Fate];

export class AuthorityWorld {
  nowMs: number = Date.UTC(2026, 0, 1);
  readonly namespaces: readonly Namespace[] = [new Namespace(), new Namespace(), new Namespace()];
  intent: AuthorityIntent = { rotateBeforeMs: undefined, taint: new Set(), revoke: new Set() };
  readonly #steps: string[] = [];
  readonly #revoked = new Set<string>();
  /** What leaders decided by what namespaces carry before they could know. */
  readonly #blind: string[] = [];
  /** Generations that signed, or were to, without having been seen somewhere. */
  readonly excluding: Set<string> = new Set();
  #made = 0;
  #epoch = 0;
  #version = 0;
  #secret: Versioned<readonly GenerationSpan[]> | undefined;
  #state: Versioned<readonly GenerationState[]> | undefined;
  readonly #ledger: Leaf[] = [];
  #ledgerSinceMs = 0;
  #handedOut: Leaf[] = [];
  #leader: Leader | undefined;
  /** Writes of the Secret by leaders that ended, still on their way. */
  #late: { readonly over: number; readonly value: readonly GenerationSpan[] }[] = [];

  get generations(): readonly string[] {
    return (this.#secret?.value ?? []).map(({ id }) => id);
  }

  /** What leaders decided, the latest last. */
  story(): string {
    return this.#steps
      .filter((step) => !step.includes('wait'))
      .slice(-30)
      .join('\n');
  }

  get signing(): string | undefined {
    return this.#leader?.used.signing;
  }

  /** The leader ends; the next one reads everything from the server. A blind one puts nothing into use before its first step. */
  newLeader(isBlind = false): void {
    this.#epoch += 1;
    // The claim: an older leader's write of the state is a conflict from now on.
    if (this.#state !== undefined) this.#state = { ...this.#state, version: this.#nextVersion() };
    const generations = this.#secret?.value ?? [];
    const stored = this.#state?.value;
    const leader: Leader = {
      epoch: this.#epoch,
      generations,
      states: this.#recover(stored, generations),
      used: { trusted: [], signing: undefined },
      noted: new Set(),
      takenOverAtMs: this.nowMs,
      secretVersion: this.#secret?.version ?? 0,
      stateVersion: this.#state?.version ?? 0,
    };
    this.#leader = leader;
    const signing = stored?.filter(({ phase }) => phase === 'signing') ?? [];
    const isStored = generations.every(({ id }) => stored?.some((each) => each.id === id));
    if (!isBlind && signing.length === 1 && isStored) this.#adopt(leader, leader.states);
  }

  /** Puts into use what is on the server; whatever is in use is known where it stands. */
  #adopt(leader: Leader, states: readonly GenerationState[]): void {
    const signing = states.find(({ phase }) => phase === 'signing')?.id;
    if (!leader.generations.some(({ id }) => id === signing)) return;
    const trusted = leader.generations.map(({ id }) => id);
    leader.used = { trusted, signing };
    leader.noted.add(trusted.join());
  }

  /** Somebody deletes the ConfigMap while no leader runs. Nobody can help who has lost the ledger as well. */
  loseState(): void {
    if (this.nowMs < this.#ledgerSinceMs + LONGEST_LEAF_MS) return;
    this.#leader = undefined;
    this.#state = undefined;
  }

  /** A namespace begins or ends to take no bundle. */
  refuse(): void {
    const [namespace] = this.namespaces;
    if (namespace !== undefined) namespace.refuses = !namespace.refuses;
  }

  /** What the agent of a namespace gets from now on. */
  treat(at: number, treatment: Treatment): void {
    const namespace = this.namespaces[at];
    if (namespace === undefined) return;
    namespace.treatment = treatment;
    const { leaf } = namespace.secret.newest ?? {};
    if (treatment === 'wiped') this.#handedOut = this.#handedOut.filter((each) => each !== leaf);
  }

  /** Somebody deletes the ledger while no leader runs. */
  loseLedger(): void {
    if (this.#state === undefined) return;
    this.#leader = undefined;
    this.#ledger.length = 0;
    this.#ledgerSinceMs = this.nowMs;
  }

  /** An administrator asks something: of the oldest generation, or of the one that signs. */
  ask(what: 'rotate' | 'taint' | 'revoke'): void {
    const { intent, nowMs, signing } = this;
    const ids = what === 'revoke' ? this.generations.slice(0, 1) : signing === undefined ? [] : [signing];
    this.intent =
      what === 'rotate' ? { ...intent, rotateBeforeMs: nowMs } : { ...intent, [what]: new Set(ids) };
  }

  /** A write that an older leader sent arrives now, if nothing has changed since. */
  lateWrite(): void {
    const write = this.#late.shift();
    if (write === undefined || (this.#secret?.version ?? 0) !== write.over) return;
    this.#secret = { version: this.#nextVersion(), value: write.value };
  }

  /** One step of the leader's plan. `skewMs`: its clock is ahead. */
  reconcile(
    fates: Fates,
    { skewMs, isClockTrusted }: { readonly skewMs: number; readonly isClockTrusted: boolean },
  ): void {
    if (this.#leader === undefined) this.newLeader();
    const leader = this.#leader;
    if (leader === undefined) return;
    const nowMs = this.nowMs + (isClockTrusted ? skewMs : 0);
    // What needs the Secret was tried before, then.
    const isSecretWritable = fates[0] !== 'refused';
    if (
      isSecretWritable &&
      (this.#secret?.version ?? 0) !== leader.secretVersion &&
      leader.generations.length > 0
    ) {
      this.#secret = { version: this.#nextVersion(), value: leader.generations };
      leader.secretVersion = this.#secret.version;
      return;
    }
    const states = this.#recover(leader.states, leader.generations);
    const generations = leader.generations.flatMap((span) => {
      const state = states.find(({ id }) => id === span.id);
      if (state === undefined) return [];
      const ends = this.#ledger
        .filter(({ generation }) => generation === span.id)
        .map((leaf) => leaf.notAfterMs);
      const endsAtMs = ends.length === 0 ? undefined : Math.max(...ends);
      const word = { endsAtMs, completeSinceMs: this.#ledgerSinceMs };
      const heldLeaves = this.namespaces.filter(({ secret, treatment }) => {
        const leaf = secret.newest?.leaf;
        return treatment !== 'unseen' && leaf?.generation === span.id && leaf.notAfterMs >= nowMs;
      }).length;
      return [
        { ...state, ...span, lastLeafEndsAtMs: lastLeafEndsAtMs({ ...state, ...span }, word), heldLeaves },
      ];
    });
    const lacking = (id: string): ReadonlyMap<string, string> =>
      new Map(
        this.namespaces.flatMap(({ bundle, secret, treatment }, at) => {
          const known = (carried: readonly string[] | undefined): readonly string[] =>
            carried !== undefined && leader.noted.has(carried.join()) ? carried : [];
          const { newest } = secret;
          const mustCarry =
            newest !== undefined &&
            treatment !== 'wiped' &&
            this.#isGood(
              newest.leaf,
              leader.generations.map((each) => each.id),
            );
          const carries =
            known(bundle.newest).includes(id) && (!mustCarry || known(newest.carries).includes(id));
          return carries ? [] : [[String(at), 'lacks it'] as const];
        }),
      );
    const plan = planAuthority({
      nowMs,
      isClockTrusted,
      periods: PERIODS,
      generations,
      intent: this.intent,
      takenOverAtMs: leader.takenOverAtMs,
      isLookedAt: leader.noted.size > 0,
      ...{ isIntentRead: true, areLeavesSeen: true, isSecretWritable, lacking },
    });
    const { step } = plan;
    this.#steps.push(`${new Date(this.nowMs).toISOString()} ${describeStep(step)}, ${fates.join()}`);
    if (leader.noted.size === 0 && isJudgement(plan)) this.#blind.push(describeStep(step));
    const next = generations.find(({ phase }) => phase === 'prepared');
    if (next !== undefined) this.#excuse(next.id, plan.excluded);
    if (step.kind === 'drop' && step.reason === 'Revoked') this.#revoked.add(step.id);
    if (step.kind === 'activate') this.#excuse(step.id, step.missing);
    const made = step.kind === 'make' ? this.#make(nowMs) : undefined;
    if (made !== undefined || step.kind === 'drop') {
      const kept = leader.generations.filter(({ id }) => step.kind !== 'drop' || id !== step.id);
      const wanted = inOrder(made === undefined ? kept : [...kept, made]);
      if (!this.#writeSecret(leader, wanted, fates[0])) return;
    }
    const after = afterStep(generations, step, { nowMs, madeId: made?.id ?? '' });
    if (!this.#writeState(leader, after, fates[1])) return;
    this.#adopt(leader, after);
  }

  /** The leader brings bundle and Secret of a namespace to what it has put into use, and renews the leaf when `renews`. */
  distribute(at: number, renews: boolean): void {
    const { used, generations } = this.#leader ?? {};
    const namespace = this.namespaces[at];
    if (used?.signing === undefined || generations === undefined || namespace === undefined) return;
    if (!namespace.refuses) namespace.bundle.put(used.trusted, this.nowMs);
    const { treatment } = namespace;
    const { leaf } = namespace.secret.newest ?? {};
    if (treatment === 'wiped') {
      namespace.secret.put(undefined, this.nowMs);
      return;
    }
    const isGood = leaf !== undefined && this.#isGood(leaf, used.trusted);
    if (isGood) namespace.secret.put({ leaf, carries: used.trusted }, this.nowMs);
    if (treatment === 'withheld' || (isGood && !renews)) return;
    const signing = generations.find(({ id }) => id === used.signing);
    if (signing === undefined || signing.notAfterMs <= this.nowMs) return;
    const issued = { generation: signing.id, notAfterMs: Math.min(this.nowMs + LEAF_MS, signing.notAfterMs) };
    this.#ledger.push(issued);
    this.#handedOut.push(issued);
    namespace.secret.put({ leaf: issued, carries: used.trusted }, this.nowMs);
  }

  /** Live leaves that somebody refuses who should not, and what was decided without looking, in words. */
  failures(): readonly string[] {
    const live = this.#handedOut.filter(
      (leaf) => leaf.notAfterMs > this.nowMs && !this.#revoked.has(leaf.generation),
    );
    const alive = new Set(live.map(({ generation }) => generation));
    const refused = this.namespaces.flatMap(({ bundle, secret, excused }, at) => {
      // Whoever has no good leaf is refused anyway.
      const held = secret
        .readable(this.nowMs)
        .filter((each) => each !== undefined && live.includes(each.leaf));
      const read = [...bundle.readable(this.nowMs), ...held.flatMap((each) => (each ? [each.carries] : []))];
      for (const id of excused) if (read.every((trusted) => trusted.includes(id))) excused.delete(id);
      return [...alive]
        .filter((id) => !excused.has(id) && read.some((trusted) => !trusted.includes(id)))
        .map((id) => `namespace ${at} may refuse leaves of ${id}`);
    });
    return [...refused, ...this.#blind.map((step) => `${step} without having looked`)];
  }

  /** It did not take the generation in time: nobody promised it anything until it has. */
  #excuse(id: string, missing: ReadonlyMap<string, string>): void {
    if (missing.size > 0) this.excluding.add(id);
    for (const at of missing.keys()) this.namespaces[Number(at)]?.excused.add(id);
  }

  /** Whether it lives, and nothing is said against it. */
  #isGood(leaf: Leaf, trusted: readonly string[]): boolean {
    const isAlive = leaf.notAfterMs >= this.nowMs && this.#handedOut.includes(leaf);
    return isAlive && trusted.includes(leaf.generation);
  }

  #recover(
    stored: readonly GenerationState[] | undefined,
    generations: readonly GenerationSpan[],
  ): readonly GenerationState[] {
    const haveSigned = new Set(this.#ledger.map(({ generation }) => generation));
    return recoverStates(stored, { generations, haveSigned, nowMs: this.nowMs });
  }

  #make(nowMs: number): GenerationSpan {
    this.#made += 1;
    const id = this.#made.toString(16).padStart(16, '0');
    return { id, notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: nowMs + LIFE_MS };
  }

  /** Whether the leader goes on, knowing that it was written. */
  #writeSecret(leader: Leader, value: readonly GenerationSpan[], fate: Fate): boolean {
    if (fate === 'crash-before') {
      this.#late.push({ over: leader.secretVersion, value });
      this.#leader = undefined;
      return false;
    }
    this.#secret = { version: this.#nextVersion(), value };
    if (fate === 'crash-after') this.#leader = undefined;
    if (fate !== 'done') return false;
    leader.generations = value;
    leader.secretVersion = this.#secret.version;
    return true;
  }

  #writeState(leader: Leader, value: readonly GenerationState[], fate: Fate): boolean {
    if (fate === 'crash-before') this.#leader = undefined;
    if (fate === 'crash-before' || fate === 'refused') return false;
    this.#state = { version: this.#nextVersion(), value };
    if (fate === 'crash-after') this.#leader = undefined;
    if (fate !== 'done') return false;
    leader.states = value;
    leader.stateVersion = this.#state.version;
    return true;
  }

  #nextVersion(): number {
    this.#version += 1;
    return this.#version;
  }
}

/** Whether it depends on what namespaces carry. */
function isJudgement({ step, excluded }: AuthorityPlan): boolean {
  const isForced = step.kind === 'activate' && step.reason === 'NothingElse';
  return excluded.size > 0 || step.kind === 'note-seen' || (step.kind === 'activate' && !isForced);
}

function describeStep(step: AuthorityStep): string {
  const id = 'id' in step ? ` ${step.id.slice(-2)}` : '';
  return `${step.kind}${id}${'reason' in step ? ` (${step.reason})` : ''}`;
}
