/** What of an edit of a policy is legal and worth knowing. */

import type { PlacedRule } from '../delegation/edge.ts';
import { problemsOfRule, repetitionOf } from '../delegation/policy-report.ts';
import { pairsOfRule } from '../delegation/rule-index.ts';
import { affordable } from './affordable.ts';
import { effectWarnings, type Teller, type Warning } from './effect-warnings.ts';
import { effectsOf } from './effects.ts';
import { editedRules, type PolicyEdit, placedRules } from './policy-edit.ts';
import { Trial } from './trial.ts';

/**
 * Of the rules that are new or say something else than before: which repeat another one, what of them no target gets and
 * why (an agent that does not exist, an edge without consent), who may start no chain any more, and who gains what.
 *
 * Errors: none.
 */
export function policyWarnings(edit: PolicyEdit, teller: Teller): readonly Warning[] {
  const { namespace, name } = edit.after;
  const { before, after } = editedRules(edit);
  const rules = placedRules(edit.after);
  const trial = new Trial(teller.graph, { policy: { id: `${namespace}/${name}`, rules } });
  const changed = changedRules(before, after);
  const named = changed.values().map((rule) => ({ rule, pairs: pairsOfRule(rule) }));
  const looked = affordable(named, ({ pairs }) => pairs.reduce((sum, pair) => sum + trial.workOf(pair), 0));
  const touched = looked.items.flatMap(({ pairs }) => pairs);
  const effects = effectsOf(teller.graph, trial, touched);
  const problems = [
    ...repetitions(after).filter(({ rule }) => changed.some(({ index }) => index === rule)),
    ...looked.items.flatMap(({ rule }) => problemsOfRule(rule, trial)),
  ];
  return [
    ...problems.map(
      ({ message }) =>
        () =>
          message,
    ),
    ...effectWarnings({ trial, effects, namespace, isAll: looked.isAll }, teller),
  ];
}

/** A rule that is there once more than before is a changed one too, the last of them. */
function changedRules(before: readonly PlacedRule[], after: readonly PlacedRule[]): readonly PlacedRule[] {
  const left = new Map<string, number>();
  for (const { facts } of before) left.set(JSON.stringify(facts), (left.get(JSON.stringify(facts)) ?? 0) + 1);
  return after.filter(({ facts }) => {
    const key = JSON.stringify(facts);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

function repetitions(rules: readonly PlacedRule[]): ReturnType<typeof repetitionOf> {
  const firstOf = new Map<string, PlacedRule>();
  return rules.flatMap((rule) => repetitionOf(rule, firstOf));
}
