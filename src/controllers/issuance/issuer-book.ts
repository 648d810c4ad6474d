/**
 * The issuers that may sign, and their CAs: those that the list names, for an issuer without any the one that signed its first
 * good answer, and those of whom only leaves are left. Which of them agents trust follows from the fence and the ledger.
 *
 * guarantee: a CA that no list names is on the server, signed, before anybody trusts it; one that may be trusted no longer goes
 * before that is written.
 */

import { ISSUERS_NAME } from '../../api/group.ts';
import type { AuthorityCertificate } from '../../crypto/authority-reader.ts';
import { encodePem } from '../../crypto/pem.ts';
import { type IssuerRef, issuerId } from '../../domain/issuance/issuer.ts';
import { isGraceOver } from '../../domain/issuance/trust.ts';
import { judgeFailure } from '../../kube/failure.ts';
import { lastEnds } from '../ledger/last-ends.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import { type IssuerEvent, issuerChanges } from './issuer-events.ts';
import type { KeptCA, KeptCAs, ListedIssuer, RememberedCA } from './issuer-state.ts';
import type { IssuerStore } from './issuer-store.ts';
import { isSameCA, judgeIssuers } from './judge-issuers.ts';

/** What the book is made of. */
export interface IssuerBookOptions {
  readonly listed: readonly ListedIssuer[];
  readonly store: IssuerStore;
  /** As far as it is seen. */
  readonly isFenced: (issuer: IssuerRef) => boolean;
  readonly leaves: Pick<LeafBook, 'lines'>;
  /** How long a CA stays without its fence. */
  readonly graceMs: number;
  readonly nowMs: () => number;
  /** While it is not, no CA is forgotten. */
  readonly isClockTrusted: () => boolean;
  /** Tells people. */
  readonly tell: (event: IssuerEvent) => void;
}

/** Somebody has to mend the authority first. */
const UNVERIFIABLE_RECHECK_MS = 1_000;

/** One leader's view. */
export class IssuerBook {
  readonly #options: IssuerBookOptions;
  readonly #listed: ReadonlyMap<string, ListedIssuer>;
  readonly #listeners: (() => void)[] = [];
  #kept: KeptCAs = new Map();
  #trusted: readonly AuthorityCertificate[] = [];
  #isComplete = false;
  #isLoaded = false;
  #problem: string | undefined;
  /** Ends with the write that is under way: each builds on the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IssuerBookOptions) {
    this.#options = options;
    this.#listed = new Map(options.listed.map((issuer) => [issuerId(issuer), issuer]));
  }

  /** Whether all is known that can be. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Why nothing may be asked of any issuer: a sentence; undefined when it may. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The CAs that agents trust; the same list as long as nothing changes. */
  get trusted(): readonly AuthorityCertificate[] {
    return this.#trusted;
  }

  /** Whether an issuer may be asked at all. */
  isListed(issuer: IssuerRef): boolean {
    return this.#listed.get(issuerId(issuer))?.isFormer === false;
  }

  /** The CAs of an issuer that may sign now; empty: none is known yet, or trusted. */
  casOf(issuer: IssuerRef): readonly KeptCA[] {
    return this.acceptedOf(issuer).filter(({ isCurrent }) => isCurrent);
  }

  /** The same, with those whose leaves are good until they end. */
  acceptedOf(issuer: IssuerRef): readonly KeptCA[] {
    return (this.#kept.get(issuerId(issuer)) ?? []).filter(({ isTrusted }) => isTrusted);
  }

  /** Whether the CA of an issuer is known, and on its way into the bundles. */
  awaitsTrust(issuer: IssuerRef): boolean {
    return this.#isKnown(issuer) && this.casOf(issuer).length === 0;
  }

  /** Calls `listener` whenever other CAs are trusted, or issuers may be asked or not. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Reads what earlier leaders knew, before anything is published: what they trusted must not go because it is not read yet. Where
   * the server does not let us, the book is complete with what the list says, and {@link keep} tries again.
   *
   * @throws KubeError where trying again at once can help.
   */
  async load(signal: AbortSignal): Promise<void> {
    try {
      await this.#load(signal);
    } catch (error) {
      if (!isTerminal(error)) throw error;
      this.#say(problemOf(error));
    }
    this.#judge();
  }

  /**
   * Brings trust to what list, fence and ledger say, and the ConfigMap to what is remembered.
   *
   * @returns When to look again: milliseconds since the Unix epoch, infinity when something has to change first.
   * @throws KubeError.
   */
  keep(signal: AbortSignal): Promise<number> {
    return this.#inTurn(() => this.#keep(signal));
  }

  /**
   * Trusts the CA that signed the first good answer of an issuer. Does nothing when one is known or the fence
   * is not seen.
   *
   * @returns Whether it is new.
   * @throws KubeError.
   */
  learn(issuer: IssuerRef, certificate: AuthorityCertificate, signal: AbortSignal): Promise<boolean> {
    return this.#inTurn(() => this.#learn(issuer, certificate, signal));
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { store, nowMs, graceMs, tell } = this.#options;
    const found = await store.load(signal);
    if (found.kind === 'unverifiable') return;
    this.#isLoaded = true;
    if (found.kind === 'foreign') {
      const note = `What ConfigMap ${ISSUERS_NAME} said is not signed by the authority, and nothing of it is used. The CA of an issuer that is listed without one is taken from its next good answer`;
      tell({ reason: 'Repaired', note });
      return;
    }
    const isTrusted = ({ unfencedSinceMs }: RememberedCA): boolean =>
      !isGraceOver({ unfencedSinceMs, nowMs: nowMs(), graceMs });
    this.#kept = new Map(
      [...found.cas].map(([id, cas]) => [
        id,
        cas.map((ca) => ({ ...ca, isCurrent: true, isTrusted: isTrusted(ca) })),
      ]),
    );
  }

  async #keep(signal: AbortSignal): Promise<number> {
    const { store, nowMs, tell } = this.#options;
    try {
      if (!this.#isLoaded) await this.#load(signal);
      const nextMs = this.#judge();
      if (!this.#isLoaded) return nowMs() + UNVERIFIABLE_RECHECK_MS;
      if (await store.keep(this.#kept, signal)) {
        const note = `Put ConfigMap ${ISSUERS_NAME} back: it was deleted or altered`;
        tell({ reason: 'Repaired', note });
      }
      this.#say(undefined);
      return nextMs;
    } catch (error) {
      if (isTerminal(error)) this.#say(problemOf(error));
      throw error;
    }
  }

  async #learn(issuer: IssuerRef, certificate: AuthorityCertificate, signal: AbortSignal): Promise<boolean> {
    const { store, isFenced, nowMs } = this.#options;
    const mayLearn = this.#isLoaded && this.isListed(issuer) && !this.#isKnown(issuer) && isFenced(issuer);
    if (!mayLearn) return false;
    const learned = { certificate, sinceMs: nowMs(), unfencedSinceMs: undefined };
    const kept = new Map([
      ...this.#kept,
      [issuerId(issuer), [{ ...learned, isCurrent: true, isTrusted: true }]],
    ]);
    await store.save(kept, signal);
    this.#adopt(kept);
    return true;
  }

  /** Whether a CA of the issuer is listed or was learned, trusted or not. */
  #isKnown(issuer: IssuerRef): boolean {
    const id = issuerId(issuer);
    const isListed = (this.#listed.get(id)?.certificates ?? []).length > 0;
    return isListed || (this.#kept.get(id) ?? []).some(({ isCurrent }) => isCurrent);
  }

  /** Gives when to judge again. */
  #judge(): number {
    const { leaves, isFenced, nowMs, isClockTrusted, graceMs, tell } = this.#options;
    const lastEndsAtMs = lastEnds(leaves);
    const { kept, nextMs } = judgeIssuers({
      listed: this.#listed,
      remembered: this.#kept,
      isFenced,
      lastEndsAtMs,
      nowMs: nowMs(),
      isClockTrusted: isClockTrusted(),
      graceMs,
    });
    for (const event of issuerChanges(this.#kept, kept, graceMs)) tell(event);
    this.#adopt(kept);
    return nextMs;
  }

  #adopt(kept: KeptCAs): void {
    this.#kept = kept;
    const trusted = [...kept.values()].flat().filter(({ isTrusted }) => isTrusted);
    const certificates = trusted.map(({ certificate }) => certificate);
    const isSameTrust =
      certificates.length === this.#trusted.length &&
      this.#trusted.every((each, at) => certificates[at] !== undefined && isSameCA(each, certificates[at]));
    if (isSameTrust && this.#isComplete) return;
    if (!isSameTrust) this.#trusted = certificates;
    this.#isComplete = true;
    this.#changed();
  }

  #say(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== undefined) this.#options.tell({ reason: 'IssuersUnavailable', note: problem });
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** The CAs as PEM, one after the other. */
export function pemOf(certificates: readonly AuthorityCertificate[]): readonly string[] {
  return certificates.map(({ certificate }) => encodePem('CERTIFICATE', certificate.raw));
}

function isTerminal(error: unknown): error is Error {
  return error instanceof Error && judgeFailure(error, false).kind === 'terminal';
}

function problemOf({ message }: Error): string {
  return `ConfigMap ${ISSUERS_NAME} could not be read or written: ${message}. Nothing is asked of any issuer until then. See that Role agent-trust-controller is there and that no quota or policy forbids it; helm upgrade puts the Role back.`;
}
