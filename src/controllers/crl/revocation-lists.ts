/** `ca.crl`: one signed list for each trusted generation of the authority, the same text for all namespaces. */

import { hash } from 'node:crypto';
import type { Authority } from '../../crypto/authority-reader.ts';
import { signCrl } from '../../crypto/crl.ts';
import { isSignedBy, type RevocationList, readRevocationLists } from '../../crypto/crl-reader.ts';
import { BACKDATE_MS } from '../../domain/certificate/profile.ts';
import { listedLeaves, type RevokedLeaf } from '../../domain/crl/revoked-leaves.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';
import type { AdoptedLeaf } from './revoked-book.ts';

/** Where revoked leaves come from. */
export interface RevokedSource {
  /** Grows with every leaf. */
  readonly revision: number;
  entries(): Iterable<RevokedLeaf>;
  /** Takes over what stands on lists of an earlier leader; absent where there is none. */
  adopt?(leaves: readonly AdoptedLeaf[]): void;
}

/** What the lists are made of. */
export interface RevocationListsOptions {
  readonly revoked: RevokedSource;
  /** All that this process has the keys of. */
  readonly generations: () => readonly Authority[];
  readonly nowMs: () => number;
}

/** Serial numbers by generation. */
type Listed = ReadonlyMap<string, ReadonlySet<string>>;

interface SignedLists {
  readonly text: string;
  readonly number: number;
  readonly signedAtMs: number;
  readonly listed: Listed;
  /** What it was last compared with. */
  readonly madeFrom: string | undefined;
}

const LIFE_MS = 7 * 86_400_000;
/** A list that is older is signed anew when a bundle is. */
const RENEWAL_MS = 3_600_000;
/** Clocks of two leaders may be so far apart. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Signs them, and keeps what is signed until something differs or it is an hour old. */
export class RevocationLists {
  readonly #options: RevocationListsOptions;
  /** Digests of texts that were adopted: those of most namespaces are the same. */
  readonly #adopted = new Set<string>();
  #newest: SignedLists | undefined;
  #highestNumber = 0;
  #leftOut = 0;

  constructor(options: RevocationListsOptions) {
    this.#options = options;
  }

  /** Leaves on the newest lists, and those for which there was no room. */
  get counts(): { readonly listed: number; readonly leftOut: number } {
    const serials = [...(this.#newest?.listed.values() ?? [])];
    return { listed: serials.reduce((sum, { size }) => sum + size, 0), leftOut: this.#leftOut };
  }

  /** PEM of the lists of all generations that are trusted, those without a revoked leaf among them. */
  pem({ trusted }: Pick<ReadyAuthority, 'trusted'>): string {
    const { revoked, generations } = this.#options;
    const nowMs = this.#options.nowMs();
    const known = generations().filter(({ id }) => trusted.some((each) => each.id === id));
    const madeFrom = [revoked.revision, ...known.map(({ id }) => id)].join();
    const newest = this.#newest !== undefined && isFresh(this.#newest, nowMs) ? this.#newest : undefined;
    if (newest?.madeFrom === madeFrom) return newest.text;
    const ids = new Set(known.map(({ id }) => id));
    // What others have signed is on no list of ours.
    const own = [...revoked.entries()].filter(({ generation }) => ids.has(generation));
    const { byGeneration, leftOut } = listedLeaves(own, nowMs);
    this.#leftOut = leftOut;
    const wanted = [...byKey(known)].map((same) => ({
      signer: same[0],
      entries: same.flatMap(({ id }) => byGeneration.get(id) ?? []),
    }));
    const listed = new Map(
      wanted.map(({ signer, entries }) => [signer.id, new Set(entries.map(({ serialHex }) => serialHex))]),
    );
    this.#newest =
      newest !== undefined && isSame(newest.listed, listed)
        ? { ...newest, madeFrom }
        : { ...this.#sign(wanted, nowMs), listed, madeFrom };
    return this.#newest.text;
  }

  /**
   * Takes over lists that an earlier leader has signed: their entries, and their numbers. As long as they say what they should
   * they stay in use.
   */
  adopt(text: string): void {
    const digest = hash('sha256', text, 'base64url');
    if (this.#adopted.has(digest)) return;
    this.#adopted.add(digest);
    const lists = readRevocationLists(Buffer.from(text)) ?? [];
    const generations = this.#options.generations();
    const known = lists.flatMap((list) => {
      const generation = generations.find(({ certificate }) => isSignedBy(list, certificate));
      return generation === undefined ? [] : [{ list, generation: generation.id }];
    });
    const [first] = known;
    if (first === undefined) return;
    this.#options.revoked.adopt?.(known.flatMap(adoptedLeaves));
    const { number, thisUpdateMs } = first.list;
    if (number <= this.#highestNumber) return;
    this.#highestNumber = number;
    const listed = new Map(known.map(({ list, generation }) => [generation, new Set(list.entries.keys())]));
    const signedAtMs = thisUpdateMs + BACKDATE_MS;
    const isWhole = known.length === lists.length;
    this.#newest = isWhole ? { text, number, signedAtMs, listed, madeFrom: undefined } : undefined;
  }

  #sign(
    lists: readonly { readonly signer: Authority; readonly entries: readonly RevokedLeaf[] }[],
    nowMs: number,
  ): Pick<SignedLists, 'text' | 'number' | 'signedAtMs'> {
    const signedAtMs = Math.floor(nowMs / 1000) * 1000;
    const number = Math.max(this.#highestNumber + 1, Math.floor(nowMs));
    this.#highestNumber = number;
    // Hosts whose clocks are behind take no list that begins later.
    const dates = { thisUpdateMs: signedAtMs - BACKDATE_MS, nextUpdateMs: signedAtMs + LIFE_MS };
    const text = lists.map(({ signer, entries }) => signCrl({ number, ...dates, entries }, signer)).join('');
    return { text, number, signedAtMs };
  }
}

/** A certificate that was renewed with the same key is the same authority: it has one list. */
function byKey(generations: readonly Authority[]): Iterable<readonly [Authority, ...Authority[]]> {
  const groups = new Map<string, [Authority, ...Authority[]]>();
  for (const generation of generations) {
    const { subjectDer, keyIdentifier } = generation;
    const key = `${subjectDer.toString('hex')} ${keyIdentifier.toString('hex')}`;
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [generation]);
    else same.push(generation);
  }
  return groups.values();
}

function adoptedLeaves({
  list,
  generation,
}: {
  readonly list: RevocationList;
  readonly generation: string;
}): readonly AdoptedLeaf[] {
  return [...list.entries].map(([serialHex, entry]) => ({ serialHex, generation, ...entry }));
}

function isFresh({ signedAtMs }: SignedLists, nowMs: number): boolean {
  return signedAtMs <= nowMs + CLOCK_TOLERANCE_MS && nowMs < signedAtMs + RENEWAL_MS;
}

function isSame(a: Listed, b: Listed): boolean {
  return a.size === b.size && [...a].every(([id, serials]) => isSameSet(serials, b.get(id)));
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string> | undefined): boolean {
  return b !== undefined && a.size === b.size && a.isSubsetOf(b);
}
