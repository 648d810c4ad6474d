/** What is remembered of bundles from one reconcile to the next. All of it is found anew after a restart. */

import { CRL_FILE, REVOCATIONS_FILE } from '../../domain/bundle/files.ts';
import { readRevocationsFile } from '../../domain/token/state/revocations-file.ts';
import type { RevocationLists } from '../crl/revocation-lists.ts';
import type { RevocationBook } from '../revocation/revocation-book.ts';
import { digestsOf } from './bundle-record.ts';
import { BUNDLE_LIFE_SECONDS, type BundleFindings } from './judge.ts';
import { NamedAgents } from './named-agents.ts';
import type { BundleStore } from './store.ts';

/** Where a bundle is read from, and where its revocations go. */
export interface Adoption {
  readonly store: Pick<BundleStore, 'find'>;
  readonly revocations: Pick<RevocationBook, 'adopt'>;
  readonly lists: Pick<RevocationLists, 'adopt'>;
}

/** No clock that a cluster lives with is so far ahead: all its certificates would have ended. */
const FAR_AHEAD_MS = 366 * 86_400_000;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** By namespace. */
export class BundleMemory {
  readonly named: NamedAgents = new NamedAgents();
  readonly #monotonicMs: () => number;
  readonly #adopted = new Set<string>();
  /** By PEM of a certificate: when it was last among those that are trusted. */
  readonly #rootsAtMs = new Map<string, number>();
  readonly #sequences = new Map<string, number>();
  readonly #revisions = new Map<string, number>();
  readonly #writtenAtMs = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * The roots, PEM, that were trusted by this process within the life of a bundle and are not any more: what they have signed is
   * nobody's alteration. Empty when there are none.
   *
   * @param trustedPem Those that are trusted now.
   */
  formerPem(trustedPem: string): string {
    const nowMs = this.#monotonicMs();
    for (const pem of trustedPem.match(CERTIFICATE) ?? []) this.#rootsAtMs.set(pem, nowMs);
    for (const [pem, atMs] of this.#rootsAtMs)
      if (atMs + BUNDLE_LIFE_SECONDS * 1000 < nowMs) this.#rootsAtMs.delete(pem);
    return [...this.#rootsAtMs.keys()].filter((pem) => !trustedPem.includes(pem)).join('\n');
  }

  /**
   * Takes over what an earlier leader has revoked in this namespace, once: the objects may be gone meanwhile. A bundle that
   * cannot be read does not count, nor does one that is not seen: another look may find it whole, until it is written over.
   */
  async adoptOnce(
    namespace: string,
    found: BundleFindings | undefined,
    { store, revocations, lists }: Adoption,
  ): Promise<void> {
    if (this.#adopted.has(namespace) || found?.claims === undefined) return;
    const { data = {} } = (await store.find(0)) ?? {};
    const digests = digestsOf(data);
    const { files } = found.claims;
    const signed = (name: string): string => (digests.get(name) === files.get(name) ? data[name] : '') ?? '';
    revocations.adopt(readRevocationsFile(signed(REVOCATIONS_FILE))?.revocations ?? []);
    lists.adopt(signed(CRL_FILE));
    this.#adopted.add(namespace);
  }

  /**
   * Greater than all before: the time in milliseconds, unless there was one in this millisecond or the clock went back. What is
   * more than a year ahead does not count: nobody reads what would come after the greatest integer.
   */
  nextSequence(namespace: string, observed: number, nowMs: number): number {
    const before = [observed, this.#sequences.get(namespace) ?? 0].filter(
      (each) => each <= nowMs + FAR_AHEAD_MS,
    );
    return Math.max(...before.map((each) => each + 1), Math.floor(nowMs));
  }

  /** Whether a bundle of this sequence was replaced by this process already: somebody has put it back. */
  isOlder(namespace: string, sequence: number): boolean {
    return sequence < (this.#sequences.get(namespace) ?? 0);
  }

  /**
   * Remembers that a bundle of this sequence was written, and when: whatever stood there before can be taken over no more. Not
   * to be called for a write that failed: what it was to replace stands there rightly.
   */
  wrote(namespace: string, sequence: number): void {
    this.#adopted.add(namespace);
    this.#sequences.set(namespace, sequence);
    this.#writtenAtMs.set(namespace, this.#monotonicMs());
  }

  /** How long ago that was. */
  sinceWriteMs(namespace: string): number {
    return this.#monotonicMs() - (this.#writtenAtMs.get(namespace) ?? Number.NEGATIVE_INFINITY);
  }

  /** Remembers that a bundle has all revocations up to this revision of the book. */
  published(namespace: string, revision: number): void {
    const before = this.#revisions.get(namespace);
    this.#revisions.set(namespace, revision);
    if (before !== revision) for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` when bundles have more revocations than before. */
  onPublished(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Whether a bundle has all revocations up to this revision. */
  hasPublished(namespace: string, revision: number): boolean {
    return (this.#revisions.get(namespace) ?? -1) >= revision;
  }

  /** There is no bundle any more. */
  forget(namespace: string): void {
    this.named.set(namespace, []);
    this.#adopted.delete(namespace);
    this.#sequences.delete(namespace);
    this.#revisions.delete(namespace);
    this.#writtenAtMs.delete(namespace);
  }
}
