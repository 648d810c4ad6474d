/** What a CapabilityBoundary says; what is refused in it binds more, never less. */

import type { BoundaryFacts, LabelRequirement, LabelSelector, TokenLimits } from './facts.ts';
import { type CapabilityInput, readCapabilities } from './resolve-capabilities.ts';
import {
  DEPTH,
  type Field,
  type InvalidFields,
  readSeconds,
  readWhole,
  TTL_SECONDS,
  USES,
} from './resolve-fields.ts';

/** The spec of a CapabilityBoundary as people write it. */
export interface BoundaryInput {
  readonly namespaceSelector?: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly {
      readonly key: string;
      readonly operator: string;
      readonly values?: readonly string[];
    }[];
  };
  readonly capabilities?: readonly CapabilityInput[];
  readonly maxDepth?: number;
  readonly tokens?: { readonly maxTTL?: string; readonly maxUses?: number };
}

/** The facts, and field and rule of what is refused. */
export interface ResolvedBoundary {
  readonly facts: BoundaryFacts;
  readonly invalidFields: readonly string[];
}

/**
 * Reads a boundary. A capability that is refused is not held, a number that is refused is taken as the least there is,
 * and a requirement that is refused selects every namespace. Errors: none.
 */
export function resolveBoundary(name: string, spec: BoundaryInput): ResolvedBoundary {
  const invalidFields: InvalidFields = [];
  const { capabilities, maxDepth } = spec;
  const facts: BoundaryFacts = {
    name,
    namespaceSelector: resolveSelector(spec.namespaceSelector ?? {}, invalidFields),
    ...(capabilities === undefined
      ? {}
      : {
          capabilities: readCapabilities(
            { path: 'spec.capabilities', value: capabilities },
            false,
            invalidFields,
          ),
        }),
    ...(maxDepth === undefined
      ? {}
      : {
          maxDepth: readWhole({ path: 'spec.maxDepth', value: maxDepth }, DEPTH, invalidFields) ?? DEPTH.min,
        }),
    tokens: resolveTokens(spec.tokens ?? {}, invalidFields),
  };
  return { facts, invalidFields };
}

function resolveTokens(
  { maxTTL, maxUses }: NonNullable<BoundaryInput['tokens']>,
  invalid: InvalidFields,
): Partial<TokenLimits> {
  const ttl: Field<string> = { path: 'spec.tokens.maxTTL', value: maxTTL };
  const uses: Field<number> = { path: 'spec.tokens.maxUses', value: maxUses };
  return {
    ...(maxTTL === undefined
      ? {}
      : { maxTtlSeconds: readSeconds(ttl, TTL_SECONDS, invalid) ?? TTL_SECONDS.min }),
    ...(maxUses === undefined ? {} : { maxUses: readWhole(uses, USES, invalid) ?? USES.min }),
  };
}

function resolveSelector(
  { matchLabels, matchExpressions = [] }: NonNullable<BoundaryInput['namespaceSelector']>,
  invalid: InvalidFields,
): LabelSelector {
  const requirements = matchExpressions.flatMap(({ key, operator, values = [] }, index) => {
    const path = `spec.namespaceSelector.matchExpressions[${index}]`;
    const requirement = readRequirement(key, operator, values);
    if (typeof requirement !== 'string') return requirement;
    invalid.push(`${path}${requirement}`);
    return [];
  });
  return {
    ...(matchLabels === undefined ? {} : { matchLabels }),
    ...(requirements.length === 0 ? {} : { matchExpressions: requirements }),
  };
}

/** The requirement, or what is wrong with it; meta/v1 LabelSelectorRequirement. */
function readRequirement(
  key: string,
  operator: string,
  values: readonly string[],
): LabelRequirement | string {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0 ? '.values must not be empty with In or NotIn' : { key, operator, values };
    case 'Exists':
    case 'DoesNotExist':
      return values.length > 0 ? '.values must be empty with Exists or DoesNotExist' : { key, operator };
    default:
      return '.operator must be In, NotIn, Exists or DoesNotExist';
  }
}
