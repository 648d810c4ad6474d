/** The leaves that the issuance ledger knows, as this process has read and written them. Known from the take-over on. */

import type { LedgerLine } from '../../domain/ledger/ledger-line.ts';

/** Told of lines that were not known before. */
export type LeafListener = (lines: readonly LedgerLine[]) => void;

/** So long a leaf that has ended is remembered: the list of revoked leaves names it once more after its end. */
const KEPT_AFTER_END_MS = 2 * 3_600_000;

/** Filled by the ledger alone. Ended leaves are in it until {@link prune}. */
export class LeafBook {
  readonly #bySerial = new Map<string, LedgerLine>();
  readonly #byIdentity = new Map<string, LedgerLine[]>();
  readonly #listeners = new Set<LeafListener>();
  #isComplete = false;
  #completeSinceMs = 0;

  /** Whether this process has taken the ledger over: before, that a leaf is not here means nothing. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** From when on every leaf is here, milliseconds since the Unix epoch. Of leaves that were issued before some may be missing. */
  get completeSinceMs(): number {
    return this.#completeSinceMs;
  }

  /** Calls `listener` for lines from now on. */
  onAdded(listener: LeafListener): void {
    this.#listeners.add(listener);
  }

  /** All that stands in the ledger at the take-over, which misses none that was issued after `completeSinceMs`. */
  replace(lines: readonly LedgerLine[], completeSinceMs = 0): void {
    this.#completeSinceMs = completeSinceMs;
    this.#bySerial.clear();
    this.#byIdentity.clear();
    this.#isComplete = true;
    this.add(lines);
  }

  /** Lines that are on the server now. */
  add(lines: readonly LedgerLine[]): void {
    for (const line of lines) {
      if (this.#bySerial.has(line.serialHex)) continue;
      this.#bySerial.set(line.serialHex, line);
      const own = this.#byIdentity.get(line.identityUid);
      if (own === undefined) this.#byIdentity.set(line.identityUid, [line]);
      else own.push(line);
    }
    for (const listener of this.#listeners) listener(lines);
  }

  /** The line of a leaf, by its serial number in lower-case hexadecimal. */
  find(serialHex: string): LedgerLine | undefined {
    return this.#bySerial.get(serialHex);
  }

  /** The leaves of an identity. */
  of(identityUid: string): readonly LedgerLine[] {
    return this.#byIdentity.get(identityUid) ?? [];
  }

  /** All leaves. */
  lines(): Iterable<LedgerLine> {
    return this.#bySerial.values();
  }

  /** Forgets leaves that ended two hours before `nowMs`. Give a time that is surely not ahead. */
  prune(nowMs: number): void {
    const isOver = ({ notAfterMs }: LedgerLine): boolean => notAfterMs + KEPT_AFTER_END_MS < nowMs;
    for (const [uid, lines] of this.#byIdentity) {
      const left = lines.filter((line) => !isOver(line));
      if (left.length === lines.length) continue;
      for (const line of lines) if (isOver(line)) this.#bySerial.delete(line.serialHex);
      if (left.length > 0) this.#byIdentity.set(uid, left);
      else this.#byIdentity.delete(uid);
    }
  }
}
