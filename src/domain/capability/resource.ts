/**
 * Containment and intersection of resource patterns. Patterns form a tree: of two, one contains the other or they have
 * nothing in common, so an intersection is one of the two or nothing.
 *
 * Every function expects patterns that `isResource` accepts.
 */

import { BELOW } from './parse.ts';

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

/** The same set with the fewest patterns, sorted by code unit. */
export function minimalResources(patterns: readonly string[]): readonly string[] {
  if (patterns.length === 1) return patterns;
  const distinct = new Set(patterns);
  return [...distinct].filter((pattern) => !isBelowOne(distinct, pattern)).sort();
}

/** What both stand for, minimal and sorted; an empty list when they have nothing in common. */
export function intersectResources(a: Resources, b: Resources): Resources {
  if (a === undefined || b === undefined) return a ?? b;
  const [inA, inB] = [new Set(a), new Set(b)];
  return minimalResources([
    ...a.filter((pattern) => inB.has(pattern) || isBelowOne(inB, pattern)),
    ...b.filter((pattern) => inA.has(pattern) || isBelowOne(inA, pattern)),
  ]);
}

/** What either stands for, minimal and sorted. */
export function unionResources(a: Resources, b: Resources): Resources {
  return a === undefined || b === undefined ? undefined : minimalResources([...a, ...b]);
}

/**
 * Whether another pattern of the set contains this one. Walks up from the pattern instead of comparing with each: a
 * policy at its limits has millions of pairs to compare.
 */
function isBelowOne(patterns: ReadonlySet<string>, pattern: string): boolean {
  if (pattern === '*') return false;
  if (patterns.has('*')) return true;
  for (let slash = pattern.indexOf('/'); slash >= 0; slash = pattern.indexOf('/', slash + 1)) {
    if (pattern[slash + 1] === '/') continue; // within `://`, which is no level of the tree
    const above = `${pattern.slice(0, slash)}${BELOW}`;
    if (above !== pattern && patterns.has(above)) return true;
  }
  return false;
}
