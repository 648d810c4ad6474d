/**
 * The leader's hand on the authority: the Secret with the keys and the ConfigMap with the phases, read from the server once and
 * then only written.
 *
 * order of writes: a generation is in the Secret before any state speaks of it, and leaves the Secret before the state; what
 * signs changes with one write of the state. After a crash between two of them `recoverStates` finds the rest. That a key is refused
 * from now on is written before its generation leaves the Secret.
 * guarantee: nothing is put into use that is not on the server. What cannot be written stops what needs it, never the signing.
 */

import { AUTHORITY_SECRET_NAME, AUTHORITY_STATE_NAME } from '../../api/group.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import type { GenerationFacts, GenerationState } from '../../domain/authority/facts.ts';
import { isRefusedForGood } from '../../domain/authority/given-choice.ts';
import {
  type AuthorityPeriods,
  type AuthoritySettings,
  authorityPeriods,
} from '../../domain/authority/periods.ts';
import { afterStep, inOrder, recoverStates } from '../../domain/authority/states.ts';
import type { AuthorityStep } from '../../domain/authority/steps.ts';
import type { Cache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP, SECRET } from '../../kube/core-types.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import type { Secret } from '../identity/secret.ts';
import { lastEnds } from '../ledger/last-ends.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import type { AuthorityBook } from './authority-book.ts';
import {
  type AuthorityRecord,
  authorityRecord,
  authoritySecret,
  authoritySha256,
} from './authority-record.ts';
import { writeOver } from './authority-write.ts';
import { newGeneration } from './new-generation.ts';
import { type RefusedKeys, withRefused } from './refused-keys.ts';
import {
  isWrittenBy,
  type StateRecord,
  type StateTexts,
  saysExactly,
  stateConfigMap,
  stateRecord,
  stateTexts,
} from './state-object.ts';

/** What the keeper is made of. */
export interface KeeperPorts {
  /** Of the one Secret. */
  readonly secrets: Cache<AuthorityRecord, Secret>;
  /** Of the one ConfigMap. */
  readonly stored: Cache<StateRecord, ConfigMap>;
  readonly client: Pick<KubeClient, 'find'>;
  readonly writer: FencedWriter;
  readonly book: AuthorityBook;
  readonly leaves: Pick<LeafBook, 'lines'>;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly settings: AuthoritySettings;
  /** Names this leader's term and no other. */
  readonly epoch: string;
  readonly nowMs: () => number;
}

/**
 * What taking over has found. `rebuilt`: the phases were lost, and are found again from Secret and ledger. `isStored`: all of them
 * stand on the server.
 */
export type TakenOver =
  | { readonly kind: 'taken'; readonly rebuilt: boolean; readonly isStored: boolean }
  | { readonly kind: 'broken'; readonly problem: string };

/** What a step is carried out with. */
export interface CarryingOut {
  readonly texts: StateTexts;
  /** What is taken where a generation is to be made; undefined: one is made. */
  readonly given: Authority | undefined;
  readonly signal: AbortSignal;
}

/** The authority in one leader's term. */
export class AuthorityKeeper {
  readonly periods: AuthorityPeriods;
  readonly #ports: KeeperPorts;
  #takenOverAtMs: number | undefined;
  #isSound = false;
  #generations: readonly Authority[] = [];
  /** Of the Secret with them. */
  #dataSha256 = '';
  /** As they stand on the server. */
  #states: readonly GenerationState[] = [];
  #refused: RefusedKeys = new Map();

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
    this.periods = authorityPeriods(ports.settings);
  }

  /** Whether the server was asked already; nothing may be used before. */
  get isTaken(): boolean {
    return this.#takenOverAtMs !== undefined;
  }

  /** Whether the server said who signs; else that is found again, and nothing may be used before it is written down. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** When it was; by the clock of then. */
  get takenOverAtMs(): number {
    return this.#takenOverAtMs ?? this.#ports.nowMs();
  }

  /** What there is, oldest first. */
  get generations(): readonly Authority[] {
    return this.#generations;
  }

  /** Keys that are not taken again. */
  get refused(): RefusedKeys {
    return this.#refused;
  }

  /** A state for each of them. */
  states(): readonly GenerationState[] {
    return this.#recover(this.#states);
  }

  /** Reads both objects from the server: a cache may be behind what an earlier leader has written. @throws KubeError. */
  async takeOver(signal: AbortSignal): Promise<TakenOver> {
    const { client, secrets, stored, namespace } = this.#ports;
    const state = await this.#claim(signal);
    const target = { namespace, name: AUTHORITY_SECRET_NAME };
    const secret = await client.find<Secret>(SECRET, target, { signal });
    const cached = secrets.get(keyOf(target));
    if (secret !== undefined) secrets.observe(secret);
    else if (cached !== undefined) secrets.observeDeleted(cached.metadata);
    const record = secret && authorityRecord(secret);
    if (record?.problem !== undefined) return { kind: 'broken', problem: record.problem };
    this.#take(record?.generations ?? []);
    if (state !== undefined) stored.observe(state);
    const { states: known, refused = new Map() } = state === undefined ? {} : stateRecord(state);
    this.#refused = refused;
    this.#isSound = known?.filter(({ phase }) => phase === 'signing').length === 1;
    this.#states = this.#recover(known);
    this.#takenOverAtMs = this.#ports.nowMs();
    const isStored =
      this.#isSound && this.#generations.every(({ id }) => known?.some((each) => each.id === id));
    return { kind: 'taken', rebuilt: !this.#isSound && this.#generations.length > 1, isStored };
  }

  /** Whether the Secret is as this process has it. */
  get isWhole(): boolean {
    return this.#secret()?.dataSha256 === this.#dataSha256;
  }

  /** Writes the Secret as this process has it. @throws KubeError. */
  async putBack(signal: AbortSignal): Promise<ObjectMeta> {
    return this.#writeSecret(this.#generations, signal);
  }

  /**
   * Carries a step out.
   *
   * @returns The id of the generation that was made, if one was.
   * @throws KubeError.
   */
  async carryOut(
    step: AuthorityStep,
    facts: readonly GenerationFacts[],
    { texts, given, signal }: CarryingOut,
  ): Promise<string> {
    const { trustDomain, settings } = this.#ports;
    const nowMs = this.#ports.nowMs();
    const wanted = { trustDomain, nowMs, keySize: settings.keySize, lifeMs: this.periods.lifeMs };
    const made = step.kind === 'make' ? (given ?? newGeneration(wanted)) : undefined;
    if (made !== undefined) await this.#writeSecret(inOrder([...this.#generations, made]), signal);
    if (step.kind === 'drop') {
      if (isRefusedForGood(step, facts)) await this.#refuse(step.id, texts, signal);
      const kept = this.#generations.filter(({ id }) => id !== step.id);
      await this.#writeSecret(kept, signal);
      // Nobody gets it back from here on, whether the state can say so or not.
      this.adopt();
    }
    const madeId = made?.id ?? '';
    await this.#writeState(afterStep(facts, step, { nowMs, madeId }), texts, signal);
    this.adopt();
    return madeId;
  }

  /** Makes the ConfigMap say this beside the states; resolves with whether it did not. @throws KubeError. */
  async say(texts: StateTexts, signal: AbortSignal): Promise<boolean> {
    const states = this.states();
    const record = this.#state();
    const wanted = { ...texts, ...stateTexts(states, this.#refused) };
    const isSaid = record !== undefined && saysExactly(record, wanted, this.#ports.epoch);
    if (!isSaid) await this.#writeState(states, texts, signal);
    return !isSaid;
  }

  /** Whether it says the states that there are, and what is refused; the rest of it is for people. */
  get isStateWhole(): boolean {
    const record = this.#state();
    const wanted = stateTexts(this.#states, this.#refused);
    return record !== undefined && Object.entries(wanted).every(([key, text]) => record.texts[key] === text);
  }

  /** Puts into use what is on the server. */
  adopt(): void {
    const { book, settings } = this.#ports;
    book.adopt(this.#generations, { states: this.#states, ...settings });
  }

  #take(generations: readonly Authority[]): void {
    this.#generations = generations;
    this.#dataSha256 = authoritySha256(generations);
  }

  async #writeSecret(generations: readonly Authority[], signal: AbortSignal): Promise<ObjectMeta> {
    const { writer, secrets, namespace } = this.#ports;
    const desired = authoritySecret(namespace, generations);
    const record = this.#secret();
    const written = await writeOver(
      writer,
      { type: SECRET, desired, record: record && { ...record, immutable: record.mustRecreate } },
      signal,
    );
    secrets.observe(written);
    this.#take(authorityRecord(written).generations);
    return written.metadata;
  }

  async #writeState(
    states: readonly GenerationState[],
    texts: StateTexts,
    signal: AbortSignal,
  ): Promise<void> {
    const { writer, stored, namespace, epoch } = this.#ports;
    const desired = stateConfigMap(namespace, epoch, { ...texts, ...stateTexts(states, this.#refused) });
    const written = await writeOver(writer, { type: CONFIG_MAP, desired, record: this.#state() }, signal);
    stored.observe(written);
    this.#states = states;
  }

  /**
   * Nobody takes the key of that generation again, whatever is asked for later, and whoever leads then. Where that cannot be written
   * down the generation goes all the same; every later write of the state says it.
   */
  async #refuse(id: string, texts: StateTexts, signal: AbortSignal): Promise<void> {
    const refused = this.#generations.find((each) => each.id === id);
    if (refused === undefined) return;
    this.#refused = withRefused(this.#refused, refused);
    await this.#writeState(this.states(), texts, signal).catch(() => undefined);
  }

  /**
   * Puts the own epoch on the ConfigMap, if there is one: from then on an older leader's write is a conflict. One that cannot be
   * written is taken as it is, and claimed by the first write that can be done: whatever an older leader still puts
   * there is put back.
   */
  async #claim(signal: AbortSignal): Promise<ConfigMap | undefined> {
    const { client, writer, stored, namespace, epoch } = this.#ports;
    const target = { namespace, name: AUTHORITY_STATE_NAME };
    const found = await client.find<ConfigMap>(CONFIG_MAP, target, { signal });
    if (found === undefined) {
      const cached = stored.get(keyOf(target));
      if (cached !== undefined) stored.observeDeleted(cached.metadata);
      return undefined;
    }
    if (isWrittenBy(epoch, found.metadata)) return found;
    const desired = stateConfigMap(namespace, epoch, found.data ?? {});
    try {
      return await writeOver(writer, { type: CONFIG_MAP, desired, record: stateRecord(found) }, signal);
    } catch (error) {
      if (isKubeError(error, 'KUBE_FORBIDDEN', 'KUBE_INVALID')) return found;
      throw error;
    }
  }

  #secret(): AuthorityRecord | undefined {
    const { secrets, namespace } = this.#ports;
    return secrets.get(keyOf({ namespace, name: AUTHORITY_SECRET_NAME }));
  }

  #state(): StateRecord | undefined {
    const { stored, namespace } = this.#ports;
    return stored.get(keyOf({ namespace, name: AUTHORITY_STATE_NAME }));
  }

  #recover(stored: readonly GenerationState[] | undefined): readonly GenerationState[] {
    const { leaves, nowMs } = this.#ports;
    const haveSigned = new Set(lastEnds(leaves).keys());
    return recoverStates(stored, { generations: this.#generations, haveSigned, nowMs: nowMs() });
  }
}
