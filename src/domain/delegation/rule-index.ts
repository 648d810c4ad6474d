/** The rules of all policies by the pair of agents they name, and by agent. */

import { capabilitySet } from '../capability/capability-set.ts';
import type { PlacedRule } from './edge.ts';
import type { AgentId, PolicyId } from './facts.ts';
import { getOrInsert } from './get-or-insert.ts';

/** Two agents that a rule names. */
export interface Pair {
  readonly from: AgentId;
  readonly to: AgentId;
}

/** A rule at its place in a policy. */
export function placeRule(
  policy: PolicyId,
  rule: Pick<PlacedRule, 'index' | 'facts' | 'maxDepth'>,
): PlacedRule {
  return { policy, ...rule, capabilities: capabilitySet(rule.facts.capabilities) };
}

/** The pairs that a rule names; a target that stands twice counts once. */
export function pairsOfRule({ policy, facts }: PlacedRule): readonly Pair[] {
  const namespace = policy.slice(0, policy.indexOf('/'));
  const from: AgentId = `${namespace}/${facts.from}`;
  return [...new Set(facts.to)].map((to) => ({ from, to }));
}

/** Rules that name a pair of agents; found from either end. */
export class RuleIndex {
  readonly #byFrom = new Map<AgentId, Map<AgentId, PlacedRule[]>>();
  readonly #byTo = new Map<AgentId, Set<AgentId>>();

  /** In the order (policy namespace, policy name, rule index). */
  of(from: AgentId, to: AgentId): readonly PlacedRule[] {
    return this.#byFrom.get(from)?.get(to) ?? [];
  }

  /** Agents that rules let `from` delegate to, whether anything is granted or not. */
  targetsOf(from: AgentId): Iterable<AgentId> {
    return this.#byFrom.get(from)?.keys() ?? [];
  }

  /** Agents that rules let delegate to `to`, whether anything is granted or not. */
  sourcesOf(to: AgentId): Iterable<AgentId> {
    return this.#byTo.get(to) ?? [];
  }

  /** Adds a rule that is not there yet. */
  add(rule: PlacedRule): void {
    for (const { from, to } of pairsOfRule(rule)) this.#add(from, to, rule);
  }

  /** Takes a rule out; it is told by identity. */
  remove(rule: PlacedRule): void {
    for (const { from, to } of pairsOfRule(rule)) this.#remove(from, to, rule);
  }

  #add(from: AgentId, to: AgentId, rule: PlacedRule): void {
    const targets = getOrInsert(this.#byFrom, from, () => new Map<AgentId, PlacedRule[]>());
    const rules = targets.get(to);
    if (rules === undefined) targets.set(to, [rule]);
    else rules.splice(placeOf(rules, rule), 0, rule);
    const sources = this.#byTo.get(to);
    if (sources === undefined) this.#byTo.set(to, new Set([from]));
    else sources.add(from);
  }

  #remove(from: AgentId, to: AgentId, rule: PlacedRule): void {
    const targets = this.#byFrom.get(from);
    const rules = targets?.get(to) ?? [];
    const at = rules.indexOf(rule);
    if (at >= 0) rules.splice(at, 1);
    if (rules.length > 0) return;
    targets?.delete(to);
    if (targets?.size === 0) this.#byFrom.delete(from);
    const sources = this.#byTo.get(to);
    sources?.delete(from);
    if (sources?.size === 0) this.#byTo.delete(to);
  }
}

/** Where a rule comes among others that are in order; halving, since whoever writes policies can make it thousands. */
function placeOf(rules: readonly PlacedRule[], rule: PlacedRule): number {
  let [from, to] = [0, rules.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = rules[middle];
    if (other !== undefined && inOrder(other, rule) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function inOrder(a: PlacedRule, b: PlacedRule): number {
  return comparePolicies(a.policy, b.policy) || a.index - b.index;
}

/** By namespace, then by name; `-` and `.` sort before `/` in an id, so the id itself will not do. */
function comparePolicies(a: PolicyId, b: PolicyId): number {
  const [namespaceA = '', nameA = ''] = a.split('/');
  const [namespaceB = '', nameB = ''] = b.split('/');
  return compareText(namespaceA, namespaceB) || compareText(nameA, nameB);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
