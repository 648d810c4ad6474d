/** The ledgers as a leader finds them when it takes over, and whether somebody has deleted some while no operator ran. */

import { ANNOTATION_CLOSED, LEDGER_PREFIX } from '../../api/group.ts';
import type { LedgerLine } from '../../domain/ledger/ledger-line.ts';
import {
  emptyLedger,
  hasEarlier,
  isFull,
  type LedgerConfigMap,
  ledgerOf,
  linesOf,
  type OpenLedger,
  wholeSeconds,
} from './ledger-object.ts';

/** What a take-over goes on from. */
export interface FoundLedgers {
  /** The newest one, or a new one when that takes no more lines. */
  readonly open: OpenLedger;
  /** All others, the oldest first. */
  readonly closed: readonly OpenLedger[];
  /** Of all of them. */
  readonly lines: readonly LedgerLine[];
}

/** With a number that can be counted on. */
const LEDGER_NAME = new RegExp(`^${LEDGER_PREFIX}[1-9][0-9]{0,8}$`);

/**
 * Finds them among the ConfigMaps of the namespace. Where one is missing, none is known to be complete but what is written from
 * `nowMs` on: one that the newest names and whose leaves have not all ended, or the open one, which is missing only for as long
 * as it takes to write the next.
 */
export function foundLedgers(items: readonly LedgerConfigMap[], nowMs: number): FoundLedgers {
  const found = items
    .filter(({ metadata }) => LEDGER_NAME.test(metadata.name))
    .map((object) => ({ object, ledger: ledgerOf(object, nowMs) }))
    .sort((left, right) => left.ledger.number - right.ledger.number);
  const ledgers = found.map(({ ledger }) => ledger);
  const lines = ledgers.flatMap(linesOf);
  const newest = found.at(-1);
  const isOpen =
    newest !== undefined &&
    newest.object.metadata.annotations?.[ANNOTATION_CLOSED] === undefined &&
    !isFull(newest.ledger);
  if (!isOpen) {
    const next = emptyLedger((newest?.ledger.number ?? 0) + 1, wholeSeconds(nowMs));
    return { open: next, closed: ledgers, lines };
  }
  const numbers = new Set(ledgers.map(({ number }) => number));
  const isWhole = hasEarlier(newest.object, numbers, nowMs);
  const open = isWhole ? newest.ledger : { ...newest.ledger, completeSinceMs: wholeSeconds(nowMs) };
  return { open, closed: ledgers.slice(0, -1), lines };
}
