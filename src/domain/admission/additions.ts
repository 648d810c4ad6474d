/**
 * What an edit of a policy asks for that its old rules did not. Asked for is a capability on a resource, or without any
 * limit, between two agents; it is old when a rule of the old policy for the same two agents contains it. So what is
 * narrowed, moved into another rule or left as it is, is never new.
 */

import type { Capability } from '../capability/capability.ts';
import { patternsOf } from '../capability/capability-set.ts';
import { type Resources, resourcesBeyond } from '../capability/resource.ts';
import type { PlacedRule } from '../delegation/edge.ts';
import type { AgentId } from '../delegation/facts.ts';
import { getOrInsert } from '../delegation/get-or-insert.ts';
import { pairsOfRule, RuleIndex } from '../delegation/rule-index.ts';
import { editedRules, type PolicyEdit } from './policy-edit.ts';

/** One capability of one rule, of which something is new for at least one target. */
export interface Addition {
  readonly rule: PlacedRule;
  /** Index in the list of the rule. */
  readonly capability: number;
  readonly name: string;
  /** What is new, as it is written; undefined asks for the name, whatever the resources. */
  readonly resources: Resources;
  readonly from: AgentId;
  /** All targets of the rule. */
  readonly targets: readonly AgentId[];
  /** The first target for which it is new. */
  readonly target: AgentId;
}

/** What is new, by rule, then by capability. */
export interface Additions {
  readonly found: readonly Addition[];
  /** False when there is too much to compare: then the edit cannot be judged. */
  readonly isAll: boolean;
}

/**
 * Compares each rule that is not as before with the old rules for the same agents. Errors: none.
 *
 * @param maxComparisons Of one resource with what one list of rules said; about a second at the default.
 */
export function additionsOf(edit: PolicyEdit, maxComparisons = 1_000_000): Additions {
  const { before, after } = editedRules(edit);
  const known = new Set(before.map(grantingPart));
  let old: OldRules | undefined;
  const found: Addition[] = [];
  let comparisons = 0;
  for (const rule of after) {
    if (known.has(grantingPart(rule))) continue;
    old ??= new OldRules(before);
    const said = old.saidTo(rule);
    comparisons += said.length * patternsOf(rule.facts.capabilities);
    if (comparisons > maxComparisons) return { found, isAll: false };
    found.push(...additionsOfRule(rule, said));
  }
  return { found, isAll: true };
}

/** What two rules have in common that grant the same over the same edges. */
function grantingPart({ facts: { from, to, capabilities } }: PlacedRule): string {
  return JSON.stringify([from, to, capabilities]);
}

/** All that rules say, by name of the capability. */
type Said = ReadonlyMap<string, Resources>;

/** What old rules said for some targets: one answer for all that the same rules named. */
interface SaidTo {
  readonly target: AgentId;
  readonly said: Said;
}

/** The rules of the old policy. A policy at its limits has millions of resources to compare. */
class OldRules {
  readonly #index = new RuleIndex();
  readonly #said = new Map<string, Said>();

  constructor(rules: readonly PlacedRule[]) {
    for (const rule of rules) this.#index.add(rule);
  }

  /** What they said for the targets of a rule. */
  saidTo(rule: PlacedRule): readonly SaidTo[] {
    const targets = new Map<string, SaidTo>();
    for (const { from, to } of pairsOfRule(rule)) {
      const rules = this.#index.of(from, to);
      const key = rules.map(({ index }) => index).join();
      const said = getOrInsert(this.#said, key, () => saidBy(rules));
      getOrInsert(targets, key, () => ({ target: to, said }));
    }
    return [...targets.values()];
  }
}

function additionsOfRule(rule: PlacedRule, said: readonly SaidTo[]): readonly Addition[] {
  const pairs = pairsOfRule(rule);
  const targets = pairs.map(({ to }) => to);
  return rule.facts.capabilities.flatMap((wanted, capability) => {
    const added = addedTo(said, wanted);
    const from = pairs[0]?.from;
    return added === undefined || from === undefined
      ? []
      : { rule, capability, name: wanted.name, ...added, from, targets };
  });
}

/** Patterns form a tree: what all rules together contain, one of them contains. */
function saidBy(rules: readonly PlacedRule[]): Said {
  const lists = new Map<string, Resources[]>();
  for (const { name, resources } of rules.flatMap(({ capabilities }) => [...capabilities.values()])) {
    getOrInsert(lists, name, () => []).push(resources);
  }
  return new Map(
    [...lists].map(([name, all]) => [name, all.includes(undefined) ? undefined : together(all)]),
  );
}

function together(lists: readonly Resources[]): Resources {
  return [...new Set(lists.flatMap((resources) => resources ?? []))];
}

function addedTo(
  said: readonly SaidTo[],
  { name, resources }: Capability,
): Pick<Addition, 'resources' | 'target'> | undefined {
  if (resources === undefined) {
    const gaining = said.find((each) => !each.said.has(name) || each.said.get(name) !== undefined);
    return gaining && { resources, target: gaining.target };
  }
  const added = new Set<string>();
  let target: AgentId | undefined;
  for (const each of said) {
    const held = each.said.has(name) ? each.said.get(name) : [];
    for (const pattern of resourcesBeyond(held, resources)) {
      added.add(pattern);
      target ??= each.target;
    }
  }
  return target && { resources: resources.filter((pattern) => added.has(pattern)), target };
}
