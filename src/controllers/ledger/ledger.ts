/**
 * The issuance ledger: every leaf is written here before its Secret is.
 *
 * flow: callers wait in `commit`; one write at a time carries the lines of all who wait at that moment.
 * guarantees: when `commit` returns, the line is on the server. A leader that took over has put its epoch into the
 * open ledger, so that every later commit of an older leader is a conflict and ends in `LeadershipLost`.
 * There is one from the take-over on, and it says since when none is missing: when somebody deletes ledgers, that is now, also
 * when no operator ran, since it names those before it. A ledger is closed at 500 lines and deleted once its last leaf has expired.
 * source: docs/architecture.md, "The issuance ledger".
 */

import { formatLedgerLine, type LedgerLine, LINES_PER_LEDGER } from '../../domain/ledger/ledger-line.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import { isKubeError, type KubeErrorCode } from '../../kube/errors.ts';
import type { CallOptions } from '../../kube/resource-calls.ts';
import { foundLedgers } from './found-ledgers.ts';
import type { LeafBook } from './leaf-book.ts';
import {
  configMapOf,
  emptyLedger,
  isAsKept,
  isFull,
  isWrittenBy,
  type LedgerConfigMap,
  nameOf,
  type OpenLedger,
  versionOf,
  wholeSeconds,
} from './ledger-object.ts';

/** What the ledger needs of a client. Its writes must be fenced by the lease. */
export type LedgerStore = Pick<KubeClient, 'list' | 'find' | 'create' | 'replace' | 'delete'>;

/** Another leader has written its epoch: this process must not issue any more. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
  readonly code = 'LEADERSHIP_LOST';
  readonly retryable = false;
}

const LOST = 'another leader has taken the ledger over';

/** Nobody's signal ends a write that many wait for. */
const CALL: CallOptions = { timeoutMs: 20_000 };

/** So long the first caller waits for others to join its write: a write costs the server more than that. */
const GATHER_MS = 5;

const gatherForAWhile = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, GATHER_MS));

/** Somebody else's write was first. */
const OVERTAKEN: readonly KubeErrorCode[] = ['KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS', 'KUBE_NOT_FOUND'];

/** How often an older leader's last writes can come first. */
const MAX_RACES = 10;

interface Waiting {
  readonly line: LedgerLine;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a ledger is made of. */
export interface LedgerOptions {
  readonly store: LedgerStore;
  /** The operator's. */
  readonly namespace: string;
  /** Names this leader's term and no other. */
  readonly epoch: string;
  readonly nowMs: () => number;
  /** How long the first caller waits for others to join its write; 5 ms by default. */
  readonly gather?: () => Promise<unknown>;
  /** Gets every line that is on the server. */
  readonly leaves?: Pick<LeafBook, 'replace' | 'add'>;
}

/** The ledger of one leader's term. Make a new one for each term. */
export class IssuanceLedger {
  readonly #store: LedgerStore;
  readonly #namespace: string;
  readonly #epoch: string;
  readonly #nowMs: () => number;
  readonly #gather: () => Promise<unknown>;
  readonly #leaves: LedgerOptions['leaves'];
  #open: OpenLedger | undefined;
  #nextNumber = 1;
  #completeSinceMs = 0;
  #closed = new Map<string, OpenLedger>();
  #waiting: Waiting[] = [];
  readonly #lost = Promise.withResolvers<string>();
  #isLost = false;
  #flushing = false;

  constructor(options: LedgerOptions) {
    this.#gather = options.gather ?? gatherForAWhile;
    this.#store = options.store;
    this.#namespace = options.namespace;
    this.#epoch = options.epoch;
    this.#nowMs = options.nowMs;
    this.#leaves = options.leaves;
  }

  /**
   * Takes the ledgers over: finds the open one, or opens one, and writes the epoch into it. Before any commit; to be
   * called again after a throw.
   */
  async takeOver(signal?: AbortSignal): Promise<void> {
    for (let races = 0; ; races++) {
      const { open, lines } = await this.#findOpen(signal);
      try {
        this.#keep(await this.#put(open, { ...CALL, signal }));
        this.#leaves?.replace(lines, this.#completeSinceMs);
        return;
      } catch (error) {
        // The older leader wrote once more in between: its lines count, and it may have opened the next one.
        if (races === MAX_RACES || !isKubeError(error, ...OVERTAKEN)) throw error;
      }
    }
  }

  /** Resolves with the reason when another leader has taken over: this process must end. Never rejects. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Number of leaves that the open ledger holds. */
  get lineCount(): number {
    return this.#open?.lineCount ?? 0;
  }

  /** Resolves when the line is on the server. Rejects with what stopped the write; the line may then be there or not. */
  commit(line: LedgerLine): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
    });
    if (!this.#flushing) void this.#flush();
    return done;
  }

  /** Deletes closed ledgers whose last leaf expired before `nowMs`. Give a time that is surely not ahead. */
  async trim(nowMs: number): Promise<void> {
    for (const [name, ledger] of this.#closed) {
      const { on, highestNotAfterMs } = ledger;
      if (on === undefined || highestNotAfterMs >= nowMs) continue;
      // First, so that nobody puts it back.
      this.#closed.delete(name);
      try {
        await this.#store.delete(CONFIG_MAP, { namespace: this.#namespace, name, uid: on.uid }, CALL);
      } catch (error) {
        if (isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) continue;
        this.#closed.set(name, ledger);
        throw error;
      }
    }
  }

  /** Puts back ledgers that somebody altered or deleted, and gives their names. What is being written is left for the next time. */
  async mend(): Promise<readonly string[]> {
    const selection = { namespace: this.#namespace };
    const { items } = await this.#store.list<LedgerConfigMap>(CONFIG_MAP, selection, CALL);
    const found = new Map(items.map((item) => [item.metadata.name, item]));
    const kept =
      this.#open?.on === undefined ? [...this.#closed.values()] : [...this.#closed.values(), this.#open];
    const mended: string[] = [];
    for (const ledger of kept) {
      const name = nameOf(ledger);
      if (!isAsKept(found.get(name), ledger) && (await this.#putBack(name))) mended.push(name);
    }
    return mended;
  }

  /** Looks again, while nobody appends. Resolves with whether it was written. */
  async #putBack(name: string): Promise<boolean> {
    if (this.#flushing || this.#isLost) return false;
    this.#flushing = true;
    try {
      const at = { namespace: this.#namespace, name };
      const object = await this.#store.find<LedgerConfigMap>(CONFIG_MAP, at, CALL);
      const isOpen = this.#open !== undefined && nameOf(this.#open) === name;
      const ledger = isOpen ? this.#open : this.#closed.get(name);
      if (ledger === undefined || isAsKept(object, ledger)) return false;
      // Another leader has it: the next commit finds out.
      if (isOpen && object !== undefined && !isWrittenBy(this.#epoch, object)) return false;
      const written = await this.#put({ ...ledger, on: object && versionOf(object) });
      if (isOpen) this.#open = written;
      else this.#closed.set(name, written);
      return true;
    } finally {
      this.#flushing = false;
      if (this.#waiting.length > 0) void this.#flush();
    }
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    await this.#gather();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LINES_PER_LEDGER - this.lineCount);
      try {
        await this.#append(batch.map(({ line }) => line));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      if (this.#waiting.length === 0) await this.#openNext();
    }
    this.#flushing = false;
  }

  /** Reads all ledgers, and remembers the closed ones. */
  async #findOpen(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly open: OpenLedger; readonly lines: readonly LedgerLine[] }> {
    // Not by label: one that somebody took off would hide the open ledger, and its name would stay taken.
    const selection = { namespace: this.#namespace };
    const { items } = await this.#store.list<LedgerConfigMap>(CONFIG_MAP, selection, { ...CALL, signal });
    const { open, closed, lines } = foundLedgers(items, this.#nowMs());
    this.#closed.clear();
    for (const ledger of closed) this.#remember(ledger);
    return { open, lines };
  }

  /** One that is missing was deleted, so none is missing for long. What fails here is made up for by the next line. */
  async #openNext(): Promise<void> {
    if (this.#open !== undefined || this.#isLost) return;
    const next = emptyLedger(this.#nextNumber, this.#completeSinceMs);
    await this.#put(next).then(
      (written) => this.#keep(written),
      () => {},
    );
  }

  /** Puts the lines on the server, whatever became of earlier answers. */
  async #append(lines: readonly LedgerLine[]): Promise<void> {
    if (this.#isLost) throw new LeadershipLost(LOST);
    const open = this.#open ?? emptyLedger(this.#nextNumber, this.#completeSinceMs);
    const next: OpenLedger = {
      ...open,
      text: open.text + lines.map((line) => `${formatLedgerLine(line)}\n`).join(''),
      lineCount: open.lineCount + lines.length,
      highestNotAfterMs: Math.max(open.highestNotAfterMs, ...lines.map(({ notAfterMs }) => notAfterMs)),
    };
    const written = await this.#put(next).catch((error: unknown) => {
      if (!isKubeError(error, ...OVERTAKEN)) throw error;
      return this.#putOver(next);
    });
    this.#keep(written);
    this.#leaves?.add(lines);
  }

  /** Ours (an answer was lost, or somebody edited it) is written over; another leader's epoch ends this term. */
  async #putOver(next: OpenLedger): Promise<OpenLedger> {
    const at = { namespace: this.#namespace, name: nameOf(next) };
    const found = await this.#store.find<LedgerConfigMap>(CONFIG_MAP, at, CALL);
    // Others may be gone as well, which only this process remembers.
    if (found === undefined)
      return this.#put({ ...next, on: undefined, completeSinceMs: wholeSeconds(this.#nowMs()) });
    if (isWrittenBy(this.#epoch, found)) {
      return this.#put({ ...next, on: versionOf(found) });
    }
    this.#isLost = true;
    this.#lost.resolve(LOST);
    throw new LeadershipLost(LOST);
  }

  async #put(ledger: OpenLedger, options: CallOptions = CALL): Promise<OpenLedger> {
    const closed = this.#closed.values();
    const object = configMapOf(ledger, { namespace: this.#namespace, epoch: this.#epoch, closed });
    const written =
      ledger.on === undefined
        ? await this.#store.create(CONFIG_MAP, object, options)
        : await this.#store.replace(CONFIG_MAP, object, options);
    return { ...ledger, on: versionOf(written) };
  }

  /** Makes what was written the state of this term. */
  #keep(written: OpenLedger): void {
    this.#nextNumber = written.number + 1;
    this.#completeSinceMs = written.completeSinceMs;
    this.#open = isFull(written) ? undefined : written;
    if (isFull(written)) this.#remember(written);
  }

  #remember(ledger: OpenLedger): void {
    if (ledger.on !== undefined) this.#closed.set(nameOf(ledger), ledger);
  }
}
