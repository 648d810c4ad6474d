/** Lines and ledgers for the tests of the issuance ledger. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ANNOTATION_CLOSED,
  ANNOTATION_HIGHEST_NOT_AFTER,
  ANNOTATION_LEASE_EPOCH,
} from '../../../../src/api/group.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import { IssuanceLedger } from '../../../../src/controllers/ledger/ledger.ts';
import {
  formatLedgerLine,
  type LedgerLine,
  LINES_PER_LEDGER,
  parseLedgerLine,
} from '../../../../src/domain/ledger/ledger-line.ts';
import type { ConfigMapStore } from '../../../support/config-map-store.ts';

export const NOW: number = Date.UTC(2026, 0, 1);
export const HOUR = 3_600_000;

/** The ledger of a term, whose first caller waits no longer than a turn of the event loop for others. */
export function ledgerOf(
  store: ConfigMapStore,
  epoch: string,
  nowMs: () => number = () => NOW,
): IssuanceLedger {
  return new IssuanceLedger({
    ...{ store, namespace: 'agent-trust-system', epoch },
    ...{ nowMs, gather: () => nextTurn() },
  });
}

/** A line that differs from all others by `n`. */
export function ledgerLine(n: number, notAfterMs: number = NOW + HOUR): LedgerLine {
  return {
    identityUid: `uid-${n}`,
    namespace: 'ai-agents',
    serviceAccountName: `agent-${n}`,
    serialHex: serialOf(n),
    notAfterMs,
    generation: 'aaaaaaaaaaaaaaaa',
  };
}

/** Serial numbers of those lines. */
export function serials(...of: readonly number[]): readonly string[] {
  return of.map(serialOf);
}

/** A ledger as an earlier leader left it; closed when it is full. Its serial numbers are nobody else's. */
export function storedLedger(number: number, lineCount: number, notAfterMs: number = NOW + HOUR): ConfigMap {
  const lines = Array.from({ length: lineCount }, (_, at) => ledgerLine(number * 0x1000000 + at, notAfterMs));
  return {
    metadata: {
      name: `agent-trust-ledger-${number}`,
      uid: `ledger-${number}`,
      resourceVersion: `${number}000`,
      annotations: {
        [ANNOTATION_LEASE_EPOCH]: 'earlier',
        [ANNOTATION_HIGHEST_NOT_AFTER]: new Date(notAfterMs).toISOString(),
        ...(lineCount >= LINES_PER_LEDGER ? { [ANNOTATION_CLOSED]: 'true' } : {}),
      },
    },
    data: { ledger: lines.map((line) => `${formatLedgerLine(line)}\n`).join('') },
  };
}

/** Every line of every ledger on the server; undefined for one that cannot be read. */
export function linesOf(store: ConfigMapStore): readonly (LedgerLine | undefined)[] {
  return [...store.objects.values()].flatMap(({ data }) =>
    (data?.['ledger'] ?? '').split('\n').slice(0, -1).map(parseLedgerLine),
  );
}

function serialOf(n: number): string {
  return n.toString(16).padStart(10, '0');
}
