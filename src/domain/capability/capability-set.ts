/** Capabilities by name, and what several such sets have in common. No operation ever widens. */

import type { Capability, CapabilityUse } from './capability.ts';
import { isCapabilityName, isResource } from './parse.ts';
import { intersectResources, minimalResources, type Resources } from './resource.ts';

/** By name; resources minimal and sorted. */
export type CapabilitySet = ReadonlyMap<string, Capability>;

/** Holds nothing. */
export const NO_CAPABILITIES: CapabilitySet = new Map();

/**
 * Reads a list. What a schema would refuse grants nothing: a bad name, a bad resource, an empty list of resources. A name
 * that stands twice grants only what both entries say.
 */
export function capabilitySet(capabilities: readonly Capability[]): CapabilitySet {
  const set = new Map<string, Capability>();
  const empty = new Set<string>();
  for (const capability of capabilities) {
    const { name } = capability;
    const read = readCapability(capability);
    const before = set.get(name);
    const both = read && before ? intersectCapability(before, read) : read;
    if (both === undefined) empty.add(name);
    else set.set(name, both);
  }
  for (const name of empty) set.delete(name);
  return set;
}

/** What both hold: same name, common resources, common use. */
export function intersectSets(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  const common = new Map<string, Capability>();
  for (const [name, left] of a) {
    const right = b.get(name);
    const both = right && intersectCapability(left, right);
    if (both !== undefined) common.set(name, both);
  }
  return common;
}

/**
 * What two capabilities of one name have in common, or undefined for nothing. The result is `a` itself where nothing is
 * lost, so that equal sets share their parts.
 */
export function intersectCapability(a: Capability, b: Capability): Capability | undefined {
  const use = intersectUse(a.use, b.use);
  const resources = intersectResources(a.resources, b.resources);
  if (use === 'nothing' || resources?.length === 0) return undefined;
  if (use === a.use && isSameResources(resources, a.resources)) return a;
  return makeCapability(a.name, resources, use);
}

/** Whether whoever holds `outer` may do all that `inner` says: each of its names, on all of its resources, for its use. */
export function setContains(outer: CapabilitySet, inner: CapabilitySet): boolean {
  return [...inner.values()].every((wanted) => {
    const held = outer.get(wanted.name);
    const both = held && intersectCapability(wanted, held);
    return both !== undefined && isSameCapability(both, wanted);
  });
}

/** Whether something held for `use` may be used for `wanted`. */
export function allowsUse(use: CapabilityUse | undefined, wanted: CapabilityUse): boolean {
  return use === undefined || use === wanted;
}

/** How many resource patterns stand in a list; one for a capability without any. */
export function patternsOf(capabilities: readonly Capability[]): number {
  return capabilities.reduce((sum, { resources }) => sum + (resources?.length ?? 1), 0);
}

/** A capability without absent fields. */
export function makeCapability(name: string, resources: Resources, use?: CapabilityUse): Capability {
  return { name, ...(resources === undefined ? {} : { resources }), ...(use === undefined ? {} : { use }) };
}

/** Whether two lists that are minimal and sorted stand for the same. */
export function isSameResources(a: Resources, b: Resources): boolean {
  if (a === b) return true;
  return a !== undefined && b?.length === a.length && a.every((pattern, index) => pattern === b[index]);
}

/** Whether two capabilities say the same, given resources that are minimal and sorted. */
export function isSameCapability(a: Capability, b: Capability): boolean {
  return a === b || (a.name === b.name && a.use === b.use && isSameResources(a.resources, b.resources));
}

/** Whether two sets say the same, given resources that are minimal and sorted. */
export function isSameSet(a: CapabilitySet, b: CapabilitySet): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, capability] of a) {
    const other = b.get(name);
    if (other === undefined || !isSameCapability(capability, other)) return false;
  }
  return true;
}

function intersectUse(
  a: CapabilityUse | undefined,
  b: CapabilityUse | undefined,
): CapabilityUse | undefined | 'nothing' {
  if (a === undefined || b === undefined) return a ?? b;
  return a === b ? a : 'nothing';
}

function readCapability(capability: Capability): Capability | undefined {
  const { name, resources, use } = capability;
  if (!isCapabilityName(name)) return undefined;
  const read = resources && minimalResources(resources.filter(isResource));
  if (read?.length === 0) return undefined;
  return isSameResources(read, resources) ? capability : makeCapability(name, read, use);
}
