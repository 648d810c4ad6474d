/**
 * Keeps the list of revocations as short as verifiers read it. What does not fit becomes stricter and is never dropped: the
 * oldest of a namespace are replaced by one entry for all its tokens of that time.
 */

import { getOrInsert } from '../delegation/get-or-insert.ts';
import type { Revocation } from '../token/state/revocations-file.ts';
import { issuedBeforeOf } from './revocations.ts';

/** An entry with what it is sorted and measured by. */
interface Placed {
  readonly entry: Revocation;
  readonly at: number;
  readonly text: string;
}

/** Most entries of the file, and most characters of them as JSON. */
export interface RevocationLimits {
  readonly entries: number;
  readonly characters: number;
}

/** What verifiers read, and a third of what a ConfigMap holds. */
const REVOCATION_LIMITS: RevocationLimits = { entries: 2000, characters: 300 * 1024 };

/**
 * The entries, each once, in the order of the moments that count; those of one moment in the order of their texts.
 *
 * Where there are too many, every namespace may have the same number of them, so that who revokes much cuts off nobody but
 * the own namespace; what fits of the allotment of others is not used up.
 */
export function limitRevocations(
  entries: Iterable<Revocation>,
  limits: RevocationLimits = REVOCATION_LIMITS,
): readonly Revocation[] {
  const groups = grouped(entries);
  for (let each = limits.entries; each >= 1; each = nextShare(groups, each)) {
    const kept = groups.flatMap((group) => collapsed(group, each));
    if (isWithin(kept, limits)) return kept.sort(byMoment).map(({ entry }) => entry);
  }
  return collapsed(groups.flat().sort(byMoment), 1, true).map(({ entry }) => entry);
}

/** By namespace, each entry once, sorted. */
function grouped(entries: Iterable<Revocation>): readonly (readonly Placed[])[] {
  const groups = new Map<string, Map<string, Placed>>();
  for (const entry of entries) {
    const each = placed(entry);
    getOrInsert(groups, entry.namespace ?? '', () => new Map()).set(each.text, each);
  }
  return [...groups.values()].map((group) => [...group.values()].sort(byMoment));
}

/** The next smaller number that takes something from somebody. */
function nextShare(groups: readonly (readonly Placed[])[], each: number): number {
  const largest = Math.max(0, ...groups.map(({ length }) => length));
  return Math.floor(Math.min(each, largest) * 0.9);
}

/** The newest of them, and one for all others if there are more than `most`. */
function collapsed(group: readonly Placed[], most: number, isForAll = false): readonly Placed[] {
  if (group.length <= most) return group;
  const old = group.slice(0, group.length - most + 1);
  const namespace = isForAll ? undefined : old[0]?.entry.namespace;
  const one: Revocation = {
    everything: true,
    ...(namespace === undefined ? {} : { namespace }),
    issuedBefore: Math.max(...old.map(({ at }) => at)),
    until: Math.max(...old.map(({ entry }) => entry.until)),
  };
  return [placed(one), ...group.slice(old.length)];
}

function isWithin(kept: readonly Placed[], { entries, characters }: RevocationLimits): boolean {
  return kept.length <= entries && kept.reduce((sum, { text }) => sum + text.length + 1, 0) <= characters;
}

function placed(entry: Revocation): Placed {
  return { entry, at: issuedBeforeOf(entry), text: JSON.stringify(entry) };
}

function byMoment(a: Placed, b: Placed): number {
  return a.at - b.at || (a.text < b.text ? -1 : 1);
}
