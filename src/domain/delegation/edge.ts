/**
 * What one rule grants over one edge: what the delegating agent holds for Delegate, what the rule says, what the target
 * holds, and what the boundaries of both namespaces leave.
 */

import type { Capability } from '../capability/capability.ts';
import {
  allowsUse,
  type CapabilitySet,
  intersectCapability,
  isSameCapability,
  makeCapability,
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

/** What is granted, or undefined for nothing. */
export function edgeGrant(rule: PlacedRule, from: Holder, to: Holder): EdgeGrant | undefined {
  if (from.id === to.id || !consents(to.facts, from.facts)) return undefined;
  const capabilities: Capability[] = [];
  for (const wanted of rule.capabilities.values()) {
    const granted = grantedCapability(wanted, from, to);
    if (granted !== undefined) capabilities.push(granted);
  }
  if (capabilities.length === 0) return undefined;
  const { facts, policy, index, maxDepth } = rule;
  return {
    policy,
    rule: index,
    ...(facts.name === undefined ? {} : { ruleName: facts.name }),
    capabilities: capabilities.sort((a, b) => (a.name < b.name ? -1 : 1)),
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

/** One capability of a rule over one edge; the use is the target's. */
export function grantedCapability(wanted: Capability, from: Holder, to: Holder): Capability | undefined {
  const source = from.held.get(wanted.name);
  const target = to.held.get(wanted.name);
  if (source === undefined || target === undefined || !allowsUse(source.use, 'Delegate')) return undefined;
  const passed = intersectCapability(wanted, makeCapability(source.name, source.resources));
  return passed && intersectCapability(passed, target);
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
