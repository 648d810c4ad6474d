/** Identities, leaves and what is revoked of them, with a real cache that is fed from memory. */

import { AGENT_IDENTITY } from '../../../../src/api/group.ts';
import { RevokedBook } from '../../../../src/controllers/crl/revoked-book.ts';
import { LeafBook } from '../../../../src/controllers/ledger/leaf-book.ts';
import { LaptopCluster } from '../../../../src/dev/laptop-cluster.ts';
import type { RevokedLeaf } from '../../../../src/domain/crl/revoked-leaves.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';

export const NOW: number = Date.UTC(2026, 0, 1);
export const HOUR = 3_600_000;
export const GENERATION = 'aaaaaaaaaaaaaaaa';

/** A leaf of an identity. */
export function lineOf(identityUid: string, n: number, changes: Partial<LedgerLine> = {}): LedgerLine {
  return {
    identityUid,
    namespace: 'ai-agents',
    serviceAccountName: 'agent',
    serialHex: n.toString(16).padStart(32, '1'),
    notAfterMs: NOW + 24 * HOUR,
    generation: GENERATION,
    ...changes,
  };
}

/** A small cluster. Has to be closed. */
export class CrlWorld {
  readonly leaves: LeafBook = new LeafBook();
  readonly revoked: RevokedBook;
  readonly view: LaptopCluster['view'];
  nowMs: number = NOW;
  /** Whether machine and API server agree on it. */
  isClockTrusted = true;
  readonly #cluster: LaptopCluster;
  readonly #abort: AbortController;

  private constructor(cluster: LaptopCluster, abort: AbortController) {
    this.#cluster = cluster;
    this.#abort = abort;
    this.view = cluster.view;
    this.revoked = new RevokedBook({
      ...{ view: this.view, leaves: this.leaves },
      nowMs: () => this.nowMs,
      surelyPastMs: () => this.surelyPastMs(),
    });
  }

  surelyPastMs(): number {
    return this.isClockTrusted ? this.nowMs : Number.NEGATIVE_INFINITY;
  }

  static async start(): Promise<CrlWorld> {
    const abort = new AbortController();
    const options = { trustDomain: 'example.org', nowMs: () => NOW };
    return new CrlWorld(await LaptopCluster.start(options, abort.signal), abort);
  }

  /** Makes an identity, or changes it. */
  put(
    name: string,
    uid: string,
    change: { readonly suspended?: boolean; readonly isDeleting?: boolean } = {},
  ): void {
    const { isDeleting = false, ...spec } = change;
    const metadata = {
      ...{ name, namespace: 'ai-agents', uid, resourceVersion: '1', generation: 1 },
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    };
    this.#cluster.put(AGENT_IDENTITY, { metadata, spec } as Parameters<LaptopCluster['put']>[1]);
  }

  /** What is revoked: number and reason. */
  get entries(): readonly (readonly [serialHex: string, reason: RevokedLeaf['reason']])[] {
    return [...this.revoked.entries()].map(({ serialHex, reason }) => [serialHex, reason]);
  }

  close(): void {
    this.#abort.abort();
  }
}
