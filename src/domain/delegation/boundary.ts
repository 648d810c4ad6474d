/** What all boundaries of a namespace together leave to its agents. */

import {
  type CapabilitySet,
  capabilitySet,
  intersectSets,
  NO_CAPABILITIES,
} from '../capability/capability-set.ts';
import type { BoundaryFacts, TokenLimits } from './facts.ts';
import { selects } from './label-selector.ts';

/** The limits of one namespace. */
export interface NamespaceLimits {
  /** Names of the boundaries that select it, sorted. */
  readonly boundaries: readonly string[];
  /** Absent means no limit. */
  readonly capabilities?: CapabilitySet;
  readonly maxDepth: number;
  readonly tokens: TokenLimits;
}

/** More than any policy or agent may say. */
const NO_LIMIT: NamespaceLimits = {
  boundaries: [],
  maxDepth: 8,
  tokens: { maxTtlSeconds: 300, maxUses: 5 },
};

/**
 * Intersects the boundaries that select a namespace.
 *
 * @param labels Undefined while the namespace is not known: then every boundary counts.
 * @param required Whether a namespace under no boundary holds nothing.
 */
export function namespaceLimits(
  boundaries: Iterable<BoundaryFacts>,
  labels: Readonly<Record<string, string>> | undefined,
  required: boolean,
): NamespaceLimits {
  const selecting = [...boundaries].filter(
    ({ namespaceSelector }) => labels === undefined || selects(namespaceSelector, labels),
  );
  if (selecting.length === 0 && required) return { ...NO_LIMIT, capabilities: NO_CAPABILITIES };
  return selecting.sort((a, b) => (a.name < b.name ? -1 : 1)).reduce(narrowedOnce, NO_LIMIT);
}

/** Namespaces that the same boundaries select have the same limits: a thousand of them cost no more than one. */
const narrowed = new WeakMap<NamespaceLimits, WeakMap<BoundaryFacts, NamespaceLimits>>();

function narrowedOnce(limits: NamespaceLimits, boundary: BoundaryFacts): NamespaceLimits {
  const byBoundary = narrowed.get(limits) ?? new WeakMap<BoundaryFacts, NamespaceLimits>();
  narrowed.set(limits, byBoundary);
  const made = byBoundary.get(boundary) ?? narrowedBy(limits, boundary);
  byBoundary.set(boundary, made);
  return made;
}

function narrowedBy(limits: NamespaceLimits, boundary: BoundaryFacts): NamespaceLimits {
  const own = boundary.capabilities && capabilitySet(boundary.capabilities);
  const capabilities =
    own === undefined || limits.capabilities === undefined
      ? (own ?? limits.capabilities)
      : intersectSets(limits.capabilities, own);
  return {
    boundaries: [...limits.boundaries, boundary.name],
    ...(capabilities === undefined ? {} : { capabilities }),
    maxDepth: Math.min(limits.maxDepth, boundary.maxDepth ?? limits.maxDepth),
    tokens: leastLimits(limits.tokens, boundary.tokens),
  };
}

/** The least of each limit. */
export function leastLimits(first: TokenLimits, ...others: readonly Partial<TokenLimits>[]): TokenLimits {
  return others.reduce<TokenLimits>(
    (least, { maxTtlSeconds = least.maxTtlSeconds, maxUses = least.maxUses }) => ({
      maxTtlSeconds: Math.min(least.maxTtlSeconds, maxTtlSeconds),
      maxUses: Math.min(least.maxUses, maxUses),
    }),
    first,
  );
}
