/** A ledger as an object of the API server, and back. */

import {
  ANNOTATION_CLOSED,
  ANNOTATION_COMPLETE_SINCE,
  ANNOTATION_EARLIER_LEDGERS,
  ANNOTATION_HIGHEST_NOT_AFTER,
  ANNOTATION_LEASE_EPOCH,
  LABEL_LEDGER,
  LABEL_MANAGED,
  LEDGER_PREFIX,
} from '../../api/group.ts';
import { type LedgerLine, LINES_PER_LEDGER, parseLedgerLine } from '../../domain/ledger/ledger-line.ts';
import type { KubeObject } from '../../kube/object.ts';

/** The ConfigMap. */
export interface LedgerConfigMap extends KubeObject {
  readonly data?: { readonly ledger?: string };
}

/** The one that is on the server. */
interface StoredVersion {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A ledger that may be appended to. */
export interface OpenLedger {
  readonly number: number;
  /** What is on the server; undefined before the first write. */
  readonly on: StoredVersion | undefined;
  readonly text: string;
  readonly lineCount: number;
  readonly highestNotAfterMs: number;
  /** From when on this ledger and those before it name every leaf; whole seconds. */
  readonly completeSinceMs: number;
}

/** The latest instant that a Date can hold. */
const NEVER_MS = 8.64e15;
/** So many earlier ledgers are named, a million leaves: what annotations may say has an end. */
const MAX_EARLIER = 2000;

/** Its name. */
export function nameOf({ number }: OpenLedger): string {
  return `${LEDGER_PREFIX}${number}`;
}

/** Whether it takes no more lines. */
export function isFull({ lineCount }: OpenLedger): boolean {
  return lineCount >= LINES_PER_LEDGER;
}

/** Its lines; one that somebody has spoilt is none. */
export function linesOf({ text }: OpenLedger): readonly LedgerLine[] {
  return text
    .split('\n')
    .map(parseLedgerLine)
    .filter((line) => line !== undefined);
}

/** What was read or written. */
export function versionOf({ metadata }: LedgerConfigMap): StoredVersion {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
}

/** A new one. */
export function emptyLedger(number: number, completeSinceMs: number): OpenLedger {
  return { number, on: undefined, text: '', lineCount: 0, highestNotAfterMs: 0, completeSinceMs };
}

/** Now, as the beginning of what ledgers name: not after any authority that is made now. */
export function wholeSeconds(nowMs: number): number {
  return Math.floor(nowMs / 1000) * 1000;
}

/**
 * The ledger as it is on the server; a last line that somebody left without a line end gets one. One that does not say since when
 * none is missing says nothing of what was before `nowMs`.
 */
export function ledgerOf(object: LedgerConfigMap, nowMs: number): OpenLedger {
  const stored = object.data?.ledger ?? '';
  const text = stored === '' || stored.endsWith('\n') ? stored : `${stored}\n`;
  const { annotations = {} } = object.metadata;
  const highest = Date.parse(annotations[ANNOTATION_HIGHEST_NOT_AFTER] ?? '');
  const completeSince = Date.parse(annotations[ANNOTATION_COMPLETE_SINCE] ?? '');
  return {
    number: Number(object.metadata.name.slice(LEDGER_PREFIX.length)),
    on: versionOf(object),
    text,
    lineCount: text.split('\n').length - 1,
    // An unreadable date never deletes a ledger: it is then as if its last leaf never expired.
    highestNotAfterMs: Number.isNaN(highest) ? NEVER_MS : highest,
    completeSinceMs: Number.isNaN(completeSince) ? wholeSeconds(nowMs) : completeSince,
  };
}

/** Whether it is on the server as it was read or written; labels and annotations aside. */
export function isAsKept(found: LedgerConfigMap | undefined, { text }: OpenLedger): boolean {
  return found?.data?.ledger === text && Object.keys(found.data).length === 1;
}

/** Whether the leader of that term has written it last. */
export function isWrittenBy(epoch: string, { metadata }: LedgerConfigMap): boolean {
  return metadata.annotations?.[ANNOTATION_LEASE_EPOCH] === epoch;
}

/** What a ledger is written with. */
interface WrittenWith {
  /** The operator's namespace. */
  readonly namespace: string;
  /** Names the leader's term. */
  readonly epoch: string;
  /** Ledgers that are closed, the oldest first. */
  readonly closed: Iterable<OpenLedger>;
}

/** The object to write. */
export function configMapOf(ledger: OpenLedger, { namespace, epoch, closed }: WrittenWith): LedgerConfigMap {
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
        [ANNOTATION_COMPLETE_SINCE]: new Date(ledger.completeSinceMs).toISOString(),
        [ANNOTATION_EARLIER_LEDGERS]: earlierText(ledger, closed),
        ...(isFull(ledger) ? { [ANNOTATION_CLOSED]: 'true' } : {}),
      },
    },
    data: { ledger: ledger.text },
  };
}

/**
 * Whether every ledger is there that this one names as an earlier one, but for those whose leaves had all ended by `nowMs`. One
 * that says nothing of earlier ones is not believed.
 */
export function hasEarlier(
  { metadata }: LedgerConfigMap,
  numbers: ReadonlySet<number>,
  nowMs: number,
): boolean {
  const named = metadata.annotations?.[ANNOTATION_EARLIER_LEDGERS];
  if (named === undefined) return false;
  return named
    .split(',')
    .filter((entry) => entry !== '')
    .every((entry) => {
      const [number, highestNotAfter = ''] = entry.split('=');
      return numbers.has(Number(number)) || Date.parse(highestNotAfter) < nowMs;
    });
}

function earlierText({ number }: OpenLedger, closed: Iterable<OpenLedger>): string {
  return [...closed]
    .filter((earlier) => earlier.number < number)
    .slice(-MAX_EARLIER)
    .map((earlier) => `${earlier.number}=${new Date(earlier.highestNotAfterMs).toISOString()}`)
    .join();
}
