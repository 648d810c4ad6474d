/**
 * Containment and intersection of resource patterns. Patterns form a tree: of two, one contains the other or they have
 * nothing in common, so an intersection is one of the two or nothing.
 *
 * Every function expects patterns that `isResource` accepts.
 */

import { BELOW } from './parse.ts';

/** So few are compared one with the other, without placing the lists. */
const FEW_PAIRS = 4;

/** What a list of patterns stands for; undefined stands for every resource. */
export type Resources = readonly string[] | undefined;

/**
 * Whether everything that `inner` stands for, `outer` stands for too. Decided segment by segment: `/data/reports/*`
 * contains `/data/reports/2026/q1` and itself, not `/data/reports` and not `/data/reports-old`. Only `*` contains
 * resources with and without a leading `/` or a scheme.
 */
export function resourceContains(outer: string, inner: string): boolean {
  if (outer === '*' || outer === inner) return true;
  if (inner === '*' || !outer.endsWith(BELOW)) return false;
  const root = outer.slice(0, -1);
  // A second slash would be the one of a scheme: `https:/*` stands for segments below `https:`, not for URLs.
  return inner.length > root.length && inner.startsWith(root) && inner[root.length] !== '/';
}

/** Whether `resources` stand for everything that `pattern` stands for. */
export function resourcesContain(resources: Resources, pattern: string): boolean {
  return resources === undefined || resources.some((each) => resourceContains(each, pattern));
}

/** The patterns of `wanted` that `resources` do not stand for altogether; none of nothing wanted. */
export function resourcesBeyond(resources: Resources, wanted: readonly string[]): readonly string[] {
  if (resources === undefined || wanted.length === 0) return [];
  if (resources.length * wanted.length <= FEW_PAIRS) {
    return wanted.filter((pattern) => !resourcesContain(resources, pattern));
  }
  const held = placesOf(resources);
  return wanted.filter((pattern) => !isWithin(held, keyOf(pattern)));
}

/** The same set with the fewest patterns, sorted by code unit. */
export function minimalResources(patterns: readonly string[]): readonly string[] {
  return patterns.length === 1 ? patterns : inOrder([...place(patterns).patterns]);
}

/** What both stand for, minimal and sorted; an empty list when they have nothing in common. */
export function intersectResources(a: Resources, b: Resources): Resources {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length * b.length <= FEW_PAIRS) {
    const [ofA, ofB] = [
      a.filter((each) => resourcesContain(b, each)),
      b.filter((each) => resourcesContain(a, each)),
    ];
    return minimalResources([...ofA, ...ofB]);
  }
  const inA = placesOf(a);
  const inB = placesOf(b);
  const common: string[] = [];
  let atA = 0;
  let atB = 0;
  for (;;) {
    const left = inA.keys[atA];
    const right = inB.keys[atB];
    if (left === undefined || right === undefined) return inOrder(common);
    if (left < right) {
      if (covers(left, right)) common.push(inB.patterns[atB++] ?? '');
      else atA += 1;
    } else if (covers(right, left)) common.push(inA.patterns[atA++] ?? '');
    else atB += 1;
  }
}

/** What either stands for, minimal and sorted. */
export function unionResources(a: Resources, b: Resources): Resources {
  return a === undefined || b === undefined ? undefined : minimalResources([...a, ...b]);
}

/** The patterns of a list that no other contains, with their keys, and in the order of these. */
interface Places {
  readonly keys: readonly string[];
  readonly patterns: readonly string[];
}

/** A list is placed once, however many it is compared with: a policy at its limits has some hundred thousand pairs. */
const places = new WeakMap<readonly string[], Places>();

function placesOf(patterns: readonly string[]): Places {
  const known = places.get(patterns);
  if (known !== undefined) return known;
  const placed = place(patterns);
  places.set(patterns, placed);
  return placed;
}

function place(list: readonly string[]): Places {
  const keys: string[] = [];
  const patterns: string[] = [];
  const all = list.map((pattern) => ({ pattern, key: keyOf(pattern) }));
  for (const { pattern, key } of all.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const last = keys.at(-1);
    if (last !== undefined && covers(last, key)) continue;
    keys.push(key);
    patterns.push(pattern);
  }
  return { keys, patterns };
}

/**
 * What a pattern contains has a key that begins with its own, and so stands right behind it in the order of keys. The
 * slashes of a scheme are no levels; what stands for them is in no pattern.
 */
function keyOf(pattern: string): string {
  const levels = pattern.includes('://') ? pattern.replace('://', ':\u0000') : pattern;
  return levels.endsWith('*') ? [...levels.split('/').slice(0, -1), ''].join('/') : levels;
}

/** Whether the pattern of one key contains that of another; the key of a wildcard is empty or ends with a slash. */
function covers(outer: string, inner: string): boolean {
  return outer === inner || ((outer === '' || outer.endsWith('/')) && inner.startsWith(outer));
}

/** Whether one of them contains the pattern of that key: only the last that is not behind it can. */
function isWithin({ keys }: Places, key: string): boolean {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((keys[middle] ?? '') <= key) from = middle + 1;
    else to = middle;
  }
  const before = keys[from - 1];
  return before !== undefined && covers(before, key);
}

/** Sorted by code unit; the order of keys is nearly that. */
function inOrder(patterns: string[]): readonly string[] {
  return patterns.every((pattern, at) => at === 0 || (patterns[at - 1] ?? '') <= pattern)
    ? patterns
    : patterns.sort();
}
