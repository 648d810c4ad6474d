/**
 * Whether an edit of a policy asks for what can never be granted: what its delegating agent does not hold, what none of
 * its targets holds, or what boundaries do not leave. Agents that do not exist are not judged: they may come.
 */

import { makeCapability } from '../capability/capability-set.ts';
import type { NamespaceLimits } from '../delegation/boundary.ts';
import type { Holder, PlacedRule } from '../delegation/edge.ts';
import type { AgentId } from '../delegation/facts.ts';
import { getOrInsert } from '../delegation/get-or-insert.ts';
import type { Addition, Additions } from './additions.ts';
import { travelPath, type Upstream } from './travel-path.ts';
import { MAX_VIOLATIONS, type Violation } from './violation.ts';
import { CHECKS, type Lack, type RuleSituation } from './widening-checks.ts';

/** What is known of everybody else. */
export interface Surroundings extends Upstream {
  /** Undefined when there is no such agent. One that is cut off is judged by its ceiling. */
  holder(id: AgentId): Holder | undefined;
  limitsOf(namespace: string): NamespaceLimits;
}

/**
 * The violations, by rule, capability and check, but not more than are counted; none means that of what was found new
 * nothing widens. Errors: none.
 *
 * @param namespace Of the policy.
 */
export function wideningsOf(
  additions: Additions,
  namespace: string,
  surroundings: Surroundings,
): readonly Violation[] {
  const limits = new Map<string, NamespaceLimits>();
  const limitsOf = (name: string) => getOrInsert(limits, name, () => surroundings.limitsOf(name));
  const situations = new Map<PlacedRule, RuleSituation>();
  const found: Violation[] = [];
  for (const addition of additions.found) {
    if (found.length >= MAX_VIOLATIONS) break;
    const { rule, name, resources } = addition;
    const situation = getOrInsert(situations, rule, () => ({
      ...agentsOf(addition, surroundings),
      namespace,
      limitsOf,
    }));
    const lacks = CHECKS.flatMap((check) => check(makeCapability(name, resources), situation));
    found.push(...lacks.map((lack) => violation(addition, lack, surroundings)));
  }
  return found;
}

function agentsOf(
  { from, targets }: Addition,
  surroundings: Surroundings,
): Pick<RuleSituation, 'source' | 'targets' | 'areAllKnown' | 'targetNamespaces'> {
  const known = targets.map((id) => surroundings.holder(id)).filter((target) => target !== undefined);
  return {
    source: surroundings.holder(from),
    targets: known,
    areAllKnown: known.length === targets.length,
    targetNamespaces: [...new Set(known.map(({ facts }) => facts.namespace))],
  };
}

function violation(
  { rule, capability, name, resources, from, target }: Addition,
  { resource, why, wayOut }: Lack,
  surroundings: Surroundings,
): Violation {
  const what = resource === undefined ? name : `resources "${resource}"`;
  const travelling = resource === undefined ? resources : [resource];
  return {
    says: `spec.rules[${rule.index}].capabilities[${capability}] ${what}: ${why}`,
    travels: () =>
      travelPath(surroundings, { from, to: target, name, resources: travelling, maxDepth: rule.maxDepth }),
    wayOut,
  };
}
