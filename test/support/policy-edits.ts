/** Random edits of policies: new ones, and small changes of those that are there. */

import type { Capability } from '../../src/domain/capability/capability.ts';
import type { AgentId, PolicyFacts, RuleFacts } from '../../src/domain/delegation/facts.ts';
import { type Dice, randomPolicy } from './random-world.ts';

/** A change of one policy. */
export interface RandomEdit {
  readonly before: PolicyFacts | undefined;
  readonly after: PolicyFacts;
}

/** Another policy of its name, or the same with one rule or with several parts changed. */
export function randomEdit(dice: Dice, before: PolicyFacts, ids: readonly AgentId[]): RandomEdit {
  const other = randomPolicy(dice, before, ids);
  if (dice.chance(0.2)) return { before: undefined, after: other };
  if (dice.chance(0.2)) return { before, after: other };
  const drawn = other.rules.slice(0, 1);
  const rules = dice.chance(0.5) ? [...before.rules, ...drawn] : mixed(dice, before.rules, other.rules);
  return { before, after: { ...before, rules: dice.chance(0.3) ? narrowedRules(dice, rules) : rules } };
}

/** The same with less: without a rule, a target, a capability or a resource, or with a narrower one. */
export function narrowedPolicy(dice: Dice, before: PolicyFacts): PolicyFacts {
  const maxDepth = 1 + dice.below(before.maxDepth);
  return { ...before, maxDepth, rules: narrowedRules(dice, before.rules) };
}

/** Each rule with a part of another one. */
function mixed(dice: Dice, rules: readonly RuleFacts[], others: readonly RuleFacts[]): readonly RuleFacts[] {
  if (others.length === 0) return rules;
  return rules.map((rule) => {
    const other = dice.one(others);
    switch (dice.below(3)) {
      case 0:
        return { ...rule, to: [...new Set([...rule.to, ...other.to])] };
      case 1:
        return { ...rule, capabilities: other.capabilities };
      default:
        return rule;
    }
  });
}

function narrowedRules(dice: Dice, rules: readonly RuleFacts[]): readonly RuleFacts[] {
  const kept = rules.filter(() => dice.chance(0.85));
  const shuffled = dice.chance(0.3) ? kept.toReversed() : kept;
  return shuffled.flatMap((rule) => {
    const to = dice.some(rule.to, 0.8);
    const capabilities = dice.some(rule.capabilities, 0.8).map((each) => narrowedCapability(dice, each));
    return to.length === 0 || capabilities.length === 0 ? [] : [{ ...rule, to, capabilities }];
  });
}

function narrowedCapability(dice: Dice, capability: Capability): Capability {
  const { name, resources } = capability;
  if (dice.chance(0.5)) return capability;
  if (resources === undefined) return { name, resources: [dice.one(['*', '/data/*', '/data/a'])] };
  const pattern = dice.one(resources);
  return { name, resources: [NARROWER.get(pattern) ?? pattern] };
}

/** To each pattern of random worlds one that it contains. */
const NARROWER: ReadonlyMap<string, string> = new Map([
  ['*', '/*'],
  ['/*', '/data/*'],
  ['/data/*', '/data/a/*'],
]);
