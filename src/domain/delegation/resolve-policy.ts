/** What a DelegationPolicy says once everything left out is filled in. The one place that knows the defaults. */

import type { AgentId, PolicyFacts, RuleFacts, TokenLimits } from './facts.ts';
import { getOrInsert } from './get-or-insert.ts';
import { type CapabilityInput, readCapabilities } from './resolve-capabilities.ts';
import {
  DELEGATIONS,
  DEPTH,
  type InvalidFields,
  PERIOD_SECONDS,
  readSeconds,
  readWhole,
  TASK_TTL_SECONDS,
  TTL_SECONDS,
  USES,
} from './resolve-fields.ts';

/** A rule as people write it. */
export interface RuleInput {
  readonly name?: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly capabilities: readonly CapabilityInput[];
  readonly tokens?: { readonly maxTTL?: string; readonly maxUses?: number; readonly taskTTL?: string };
  readonly rateLimit?: { readonly delegations: number; readonly period?: string };
}

/** The spec of a DelegationPolicy as people write it. */
export interface PolicyInput {
  readonly maxDepth?: number;
  readonly rules?: readonly RuleInput[];
}

/** The facts, and field and rule of what is refused: with any here the policy must grant nothing. */
export interface ResolvedPolicy {
  readonly facts: PolicyFacts;
  readonly invalidFields: readonly string[];
}

const MAX_DEPTH = 2;
const TOKENS: TokenLimits = { maxTtlSeconds: 120, maxUses: 1 };
const PERIOD_DEFAULT_SECONDS = 60;
const MAX_RULES = 256;
const MAX_TARGETS = 64;

const AGENT_NAME = /^[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const AGENT_ID = new RegExp(`${NAMESPACE.source.slice(0, -1)}/${AGENT_NAME.source.slice(1)}`);

/** A rule, and what is refused of it. */
interface ResolvedRule {
  readonly facts: RuleFacts;
  readonly invalidFields: readonly string[];
}

/** What rules of one policy say, by place and text. */
export type ResolvedRules = Map<string, ResolvedRule>;

/**
 * Fills in what `spec` leaves out, and checks again what the schema checks. Errors: none.
 *
 * @param known Rules of this policy that were resolved before; those of `spec` join them. What is there already is not
 *   resolved again, and is the same object.
 */
export function resolvePolicy(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  spec: PolicyInput,
  known?: ResolvedRules,
): ResolvedPolicy {
  const invalidFields: InvalidFields = [];
  const { maxDepth, rules = [] } = spec;
  if (rules.length > MAX_RULES) invalidFields.push(`spec.rules must have at most ${MAX_RULES} entries`);
  const facts = {
    namespace,
    name,
    maxDepth: readWhole({ path: 'spec.maxDepth', value: maxDepth }, DEPTH, invalidFields) ?? MAX_DEPTH,
    rules: rules.slice(0, MAX_RULES).map((rule, index) => {
      const resolve = () => resolvedRule({ path: `spec.rules[${index}]`, rule, namespace });
      const resolved =
        known === undefined ? resolve() : getOrInsert(known, `${index} ${JSON.stringify(rule)}`, resolve);
      invalidFields.push(...resolved.invalidFields);
      return resolved.facts;
    }),
  };
  return { facts, invalidFields };
}

function resolvedRule(rule: RuleAt): ResolvedRule {
  const invalidFields: InvalidFields = [];
  return { facts: resolveRule(rule, invalidFields), invalidFields };
}

interface RuleAt {
  readonly path: string;
  readonly rule: RuleInput;
  /** Of the policy. */
  readonly namespace: string;
}

function resolveRule({ path, rule, namespace }: RuleAt, invalid: InvalidFields): RuleFacts {
  const { name, from, tokens = {}, rateLimit } = rule;
  if (!AGENT_NAME.test(from)) invalid.push(`${path}.from must be the name of an agent of this namespace`);
  const capabilities = readCapabilities(
    { path: `${path}.capabilities`, value: rule.capabilities },
    false,
    invalid,
  );
  if ((rule.capabilities ?? []).length === 0) {
    invalid.push(`${path}.capabilities must name what is handed on; a rule without grants nothing`);
  }
  const at = `${path}.tokens`;
  const taskTtlSeconds = readSeconds(
    { path: `${at}.taskTTL`, value: tokens.taskTTL },
    TASK_TTL_SECONDS,
    invalid,
  );
  const limit =
    rateLimit === undefined ? undefined : resolveRateLimit(`${path}.rateLimit`, rateLimit, invalid);
  return {
    ...(name === undefined ? {} : { name }),
    from,
    to: resolveTargets({ path, rule, namespace }, invalid),
    capabilities,
    tokens: {
      maxTtlSeconds:
        readSeconds({ path: `${at}.maxTTL`, value: tokens.maxTTL }, TTL_SECONDS, invalid) ??
        TOKENS.maxTtlSeconds,
      maxUses: readWhole({ path: `${at}.maxUses`, value: tokens.maxUses }, USES, invalid) ?? TOKENS.maxUses,
    },
    ...(taskTtlSeconds === undefined ? {} : { taskTtlSeconds }),
    ...(limit === undefined ? {} : { rateLimit: limit }),
  };
}

/** Each target once. */
function resolveTargets({ path, rule, namespace }: RuleAt, invalid: InvalidFields): readonly AgentId[] {
  const { from, to = [] } = rule;
  if (to.length === 0 || to.length > MAX_TARGETS) {
    invalid.push(`${path}.to must name 1 to ${MAX_TARGETS} agents`);
    return [];
  }
  const own: AgentId = `${namespace}/${from}`;
  const targets = new Set<AgentId>();
  for (const [index, text] of to.entries()) {
    const target = readAgentId(text, namespace);
    if (target === undefined) {
      invalid.push(`${path}.to[${index}] must be the name of an agent, or namespace/name`);
    } else if (target === own) {
      invalid.push(`${path}.to[${index}] is the delegating agent itself: take it out`);
    } else targets.add(target);
  }
  return [...targets];
}

/**
 * Reads how a policy names an agent.
 *
 * @param text `name`, which is an agent of `namespace`, or `namespace/name`.
 * @returns undefined when it is neither.
 */
export function readAgentId(text: string, namespace: string): AgentId | undefined {
  if (AGENT_NAME.test(text)) return NAMESPACE.test(namespace) ? `${namespace}/${text}` : undefined;
  return AGENT_ID.test(text) ? (text as AgentId) : undefined;
}

function resolveRateLimit(
  path: string,
  { delegations, period }: NonNullable<RuleInput['rateLimit']>,
  invalid: InvalidFields,
): NonNullable<RuleFacts['rateLimit']> {
  return {
    delegations:
      readWhole({ path: `${path}.delegations`, value: delegations }, DELEGATIONS, invalid) ?? DELEGATIONS.min,
    periodSeconds:
      readSeconds({ path: `${path}.period`, value: period }, PERIOD_SECONDS, invalid) ??
      PERIOD_DEFAULT_SECONDS,
  };
}
