/**
 * The issuance ledger: every leaf is written here before its Secret is.
 *
 * flow: callers wait in `commit`; one write at a time carries the lines of all who wait at that moment.
 * guarantees: when `commit` returns, the line is on the server. A leader that took over has put its epoch into the
 * open ledger, so that every later commit of an older leader is a conflict and ends in `LeadershipLost`.
 * A ledger is closed at 500 lines and deleted once its last leaf has expired.
 * source: docs/architecture.md, "The issuance ledger".
 */

import {
  ANNOTATION_CLOSED,
  ANNOTATION_HIGHEST_NOT_AFTER,
  ANNOTATION_LEASE_EPOCH,
  LABEL_LEDGER,
  LABEL_MANAGED,
  LEDGER_PREFIX,
} from '../../api/group.ts';
import { formatLedgerLine, type LedgerLine, LINES_PER_LEDGER } from '../../domain/ledger/ledger-line.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';

/** What the ledger needs of a client. Its writes must be fenced by the lease. */
export type LedgerStore = Pick<KubeClient, 'list' | 'find' | 'create' | 'replace' | 'delete'>;

interface LedgerConfigMap extends KubeObject {
  readonly data?: { readonly ledger?: string };
}

/** Another leader has written its epoch: this process must not issue any more. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
  readonly code = 'LEADERSHIP_LOST';
  readonly retryable = false;
}

interface StoredVersion {
  readonly uid: string;
  readonly resourceVersion: string;
}

interface OpenLedger {
  readonly number: number;
  /** What is on the server; undefined before the first write. */
  readonly on: StoredVersion | undefined;
  readonly text: string;
  readonly lineCount: number;
  readonly highestNotAfterMs: number;
}

/** The latest instant that a Date can hold. */
const NEVER_MS = 8.64e15;

interface Waiting {
  readonly line: LedgerLine;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The ledger of one leader's term. Make a new one for each term. */
export class IssuanceLedger {
  readonly #store: LedgerStore;
  readonly #namespace: string;
  readonly #epoch: string;
  #open: OpenLedger | undefined;
  #nextNumber = 1;
  #closed = new Map<string, { readonly uid: string; readonly highestNotAfterMs: number }>();
  #waiting: Waiting[] = [];
  readonly #lost = Promise.withResolvers<string>();
  #flushing = false;

  /** `epoch` names this leader's term and no other; `namespace` is the operator's. */
  constructor(options: { readonly store: LedgerStore; readonly namespace: string; readonly epoch: string }) {
    this.#store = options.store;
    this.#namespace = options.namespace;
    this.#epoch = options.epoch;
  }

  /** Takes the ledgers over: finds the open one and writes the epoch into it. Call once, before any commit. */
  async takeOver(signal?: AbortSignal): Promise<void> {
    const selection = { namespace: this.#namespace, labelSelector: LABEL_LEDGER };
    const { items } = await this.#store.list<LedgerConfigMap>(CONFIG_MAP, selection, { signal });
    for (const item of items) {
      const number = Number(item.metadata.name.slice(LEDGER_PREFIX.length));
      if (!item.metadata.name.startsWith(LEDGER_PREFIX) || !Number.isSafeInteger(number)) continue;
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
      const ledger = openLedger(number, item);
      if (item.metadata.annotations?.[ANNOTATION_CLOSED] !== undefined) this.#remember(ledger);
      else if (this.#open === undefined || this.#open.number < number) this.#open = ledger;
    }
    if (this.#open !== undefined) await this.#write(this.#open);
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
    for (const [name, { uid, highestNotAfterMs }] of this.#closed) {
      if (highestNotAfterMs >= nowMs) continue;
      try {
        await this.#store.delete(CONFIG_MAP, { namespace: this.#namespace, name, uid });
      } catch (error) {
        if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
      }
      this.#closed.delete(name);
    }
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // The callers of this turn of the event loop join the first write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LINES_PER_LEDGER);
      try {
        await this.#append(batch.map(({ line }) => line));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#flushing = false;
  }

  async #append(lines: readonly LedgerLine[]): Promise<void> {
    const open = this.#open ?? emptyLedger(this.#nextNumber);
    await this.#write({
      ...open,
      text: open.text + lines.map((line) => `${formatLedgerLine(line)}\n`).join(''),
      lineCount: open.lineCount + lines.length,
      highestNotAfterMs: Math.max(open.highestNotAfterMs, ...lines.map(({ notAfterMs }) => notAfterMs)),
    });
  }

  /** Puts `next` on the server, whatever became of an earlier answer, and makes it the state of this term. */
  async #write(next: OpenLedger): Promise<void> {
    const written = await this.#put(next).catch((error: unknown) => {
      if (!isKubeError(error, 'KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS', 'KUBE_NOT_FOUND')) throw error;
      return this.#putAfterConflict(next);
    });
    this.#nextNumber = Math.max(this.#nextNumber, next.number + 1);
    this.#open = isFull(written) ? undefined : written;
    if (isFull(written)) this.#remember(written);
  }

  /** Ours (an answer was lost, or somebody edited it) is written over; another leader's epoch ends this term. */
  async #putAfterConflict(next: OpenLedger): Promise<OpenLedger> {
    const at = { namespace: this.#namespace, name: nameOf(next) };
    const found = await this.#store.find<LedgerConfigMap>(CONFIG_MAP, at);
    if (found === undefined) return this.#put({ ...next, on: undefined });
    if (found.metadata.annotations?.[ANNOTATION_LEASE_EPOCH] === this.#epoch) {
      const on = versionOf(found);
      return found.data?.ledger === next.text ? { ...next, on } : this.#put({ ...next, on });
    }
    if (this.#open !== next) throw this.#loseLeadership();
    // Taking over raced with a last commit of the older leader: its lines count.
    return this.#put(openLedger(next.number, found));
  }

  #loseLeadership(): LeadershipLost {
    const reason = 'another leader has taken the ledger over';
    this.#lost.resolve(reason);
    return new LeadershipLost(reason);
  }

  async #put(ledger: OpenLedger): Promise<OpenLedger> {
    const object = configMapOf(ledger, this.#namespace, this.#epoch);
    const written =
      ledger.on === undefined
        ? await this.#store.create(CONFIG_MAP, object)
        : await this.#store.replace(CONFIG_MAP, object);
    return { ...ledger, on: versionOf(written) };
  }

  #remember(ledger: OpenLedger): void {
    if (ledger.on === undefined) return;
    this.#closed.set(nameOf(ledger), { uid: ledger.on.uid, highestNotAfterMs: ledger.highestNotAfterMs });
  }
}

function nameOf({ number }: OpenLedger): string {
  return `${LEDGER_PREFIX}${number}`;
}

function isFull({ lineCount }: OpenLedger): boolean {
  return lineCount >= LINES_PER_LEDGER;
}

function versionOf({ metadata }: LedgerConfigMap): StoredVersion {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
}

function emptyLedger(number: number): OpenLedger {
  return { number, on: undefined, text: '', lineCount: 0, highestNotAfterMs: 0 };
}

function openLedger(number: number, object: LedgerConfigMap): OpenLedger {
  const text = object.data?.ledger ?? '';
  const highest = Date.parse(object.metadata.annotations?.[ANNOTATION_HIGHEST_NOT_AFTER] ?? '');
  return {
    number,
    on: versionOf(object),
    text,
    lineCount: text.split('\n').length - 1,
    // An unreadable date never deletes a ledger: it is then as if its last leaf never expired.
    highestNotAfterMs: Number.isNaN(highest) ? NEVER_MS : highest,
  };
}

function configMapOf(ledger: OpenLedger, namespace: string, epoch: string): LedgerConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: nameOf(ledger),
      namespace,
      ...ledger.on,
      labels: { [LABEL_LEDGER]: 'true', [LABEL_MANAGED]: 'true' },
      annotations: {
        [ANNOTATION_LEASE_EPOCH]: epoch,
        [ANNOTATION_HIGHEST_NOT_AFTER]: new Date(ledger.highestNotAfterMs).toISOString(),
        ...(isFull(ledger) ? { [ANNOTATION_CLOSED]: 'true' } : {}),
      },
    },
    data: { ledger: ledger.text },
  };
}
