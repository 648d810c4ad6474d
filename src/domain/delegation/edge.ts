/**
 * What one rule grants over one edge: what the delegating agent holds for Delegate, what the rule says, what the target
 * holds, and what the boundaries of both namespaces leave.
 */

import type { Capability } from '../capability/capability.ts';
import {
  allowsUse,
  type CapabilitySet,
  capabilitySet,
  intersectCapability,
  intersectSets,
  isSameCapability,
  isSameSet,
  makeCapability,
  NO_CAPABILITIES,
} from '../capability/capability-set.ts';
import { leastLimits, type NamespaceLimits } from './boundary.ts';
import type { AgentFacts, AgentId, EdgeGrant, EffectiveEdge, PolicyId, RuleFacts } from './facts.ts';

/** An agent with what its ceiling and the boundaries of its namespace leave it. */
export interface Holder {
  readonly id: AgentId;
  readonly facts: AgentFacts;
  /** The ceiling by itself. */
  readonly ceiling: CapabilitySet;
  /** Ceiling and boundaries; nothing while the agent is not served. */
  readonly held: CapabilitySet;
  readonly limits: NamespaceLimits;
}

/** An agent within the limits of its namespace. */
export function holderOf(facts: AgentFacts, limits: NamespaceLimits): Holder {
  const ceiling = capabilitySet(facts.capabilities);
  const bounded = limits.capabilities === undefined ? ceiling : intersectSets(ceiling, limits.capabilities);
  const held = facts.isServed ? bounded : NO_CAPABILITIES;
  return { id: `${facts.namespace}/${facts.name}`, facts, ceiling, limits, held };
}

/** A rule at its place; `capabilities` is its list as a set. */
export interface PlacedRule {
  readonly policy: PolicyId;
  readonly index: number;
  readonly facts: RuleFacts;
  readonly capabilities: CapabilitySet;
  /** Of its policy. */
  readonly maxDepth: number;
}

/** Whether the target takes anything from the delegating agent. In one namespace no consent is needed. */
export function consents(to: AgentFacts, from: Pick<AgentFacts, 'namespace' | 'name'>): boolean {
  return (
    to.namespace === from.namespace ||
    to.acceptFrom.some(
      ({ namespace, agents }) => namespace === from.namespace && (agents?.includes(from.name) ?? true),
    )
  );
}

/** What a rule and its delegating agent let through to any target, and what came of it for the last one. */
interface Shared {
  readonly source: Holder;
  readonly passed: CapabilitySet;
  /** Of the last target. */
  readonly held: CapabilitySet;
  /** What that target gets. */
  readonly capabilities: readonly Capability[];
  /** The grant that was made last. */
  readonly grant: EdgeGrant | undefined;
}

/** Makes the grants of rules. Most targets of a rule hold and are granted the same, which is then one object. */
export class Grants {
  readonly #shared = new WeakMap<PlacedRule, Shared>();

  /** What a rule grants over one edge, or undefined for nothing. */
  over(rule: PlacedRule, source: Holder, target: Holder): EdgeGrant | undefined {
    if (source.id === target.id || !consents(target.facts, source.facts)) return undefined;
    const before = this.#shared.get(rule);
    const same = before?.source === source ? before : undefined;
    const passed = same?.passed ?? passedOn(rule, source);
    const common =
      same !== undefined && isSameSet(same.held, target.held)
        ? same.capabilities
        : byName(intersectSets(passed, target.held));
    const made = common.length === 0 ? undefined : edgeGrant(rule, common, { source, target });
    const grant = made && before?.grant && isSameGrant(made, before.grant) ? before.grant : made;
    const capabilities = grant?.capabilities ?? common;
    this.#shared.set(rule, {
      source,
      passed,
      held: target.held,
      capabilities,
      grant: grant ?? before?.grant,
    });
    return grant;
  }
}

/** What the rule says and its delegating agent may pass on. */
function passedOn({ capabilities }: PlacedRule, { held }: Holder): CapabilitySet {
  const passed = new Map<string, Capability>();
  for (const wanted of capabilities.values()) {
    const own = held.get(wanted.name);
    if (own === undefined || !allowsUse(own.use, 'Delegate')) continue;
    const both = intersectCapability(wanted, makeCapability(own.name, own.resources));
    if (both !== undefined) passed.set(wanted.name, both);
  }
  return passed;
}

function byName(set: CapabilitySet): readonly Capability[] {
  return [...set.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The use that is granted is the target's. */
function edgeGrant(
  { facts, policy, index, maxDepth }: PlacedRule,
  capabilities: readonly Capability[],
  { source: from, target: to }: { readonly source: Holder; readonly target: Holder },
): EdgeGrant {
  return {
    policy,
    rule: index,
    ...(facts.name === undefined ? {} : { ruleName: facts.name }),
    capabilities,
    maxDepth: Math.min(maxDepth, from.limits.maxDepth, to.limits.maxDepth),
    tokens: leastLimits(
      facts.tokens,
      from.facts.tokens,
      to.facts.tokens,
      from.limits.tokens,
      to.limits.tokens,
    ),
    ...(facts.taskTtlSeconds === undefined ? {} : { taskTtlSeconds: facts.taskTtlSeconds }),
    ...(facts.rateLimit === undefined ? {} : { rateLimit: facts.rateLimit }),
  };
}

/** Whether two edges grant the same, with the same limits, by the same rules. */
export function isSameEdge(a: EffectiveEdge | undefined, b: EffectiveEdge | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.grants.length === b.grants.length &&
    a.grants.every((grant, index) => isSameGrant(grant, b.grants[index]))
  );
}

function isSameGrant(a: EdgeGrant, b: EdgeGrant | undefined): boolean {
  if (a === b) return true;
  return (
    b !== undefined &&
    a.policy === b.policy &&
    a.rule === b.rule &&
    a.ruleName === b.ruleName &&
    a.maxDepth === b.maxDepth &&
    a.tokens.maxTtlSeconds === b.tokens.maxTtlSeconds &&
    a.tokens.maxUses === b.tokens.maxUses &&
    a.taskTtlSeconds === b.taskTtlSeconds &&
    a.rateLimit?.delegations === b.rateLimit?.delegations &&
    a.rateLimit?.periodSeconds === b.rateLimit?.periodSeconds &&
    a.capabilities.length === b.capabilities.length &&
    a.capabilities.every((capability, index) => {
      const other = b.capabilities[index];
      return other !== undefined && isSameCapability(capability, other);
    })
  );
}
