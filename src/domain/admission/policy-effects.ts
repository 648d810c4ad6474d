/** What of an edit of a policy is legal and worth knowing. */

import type { PlacedRule } from '../delegation/edge.ts';
import { problemsOfRule, repetitionOf } from '../delegation/policy-report.ts';
import { pairsOfRule } from '../delegation/rule-index.ts';
import { type PolicyEdit, placedRules } from './additions.ts';
import { affordable } from './affordable.ts';
import { effectWarnings, type Teller, type Warning } from './effect-warnings.ts';
import { effectsOf } from './effects.ts';
import { Trial } from './trial.ts';

/**
 * Of the rules that are new or say something else than before: which repeat another one, what of them no target gets and
 * why (an agent that does not exist, an edge without consent), who may start no chain any more, and who gains what.
 *
 * Errors: none.
 */
export function policyWarnings({ before, after }: PolicyEdit, teller: Teller): readonly Warning[] {
  const { namespace, name } = after;
  const rules = placedRules(after);
  const trial = new Trial(teller.graph, { policy: { id: `${namespace}/${name}`, rules } });
  const changed = changedRules(before === undefined ? [] : placedRules(before), rules);
  const looked = affordable(changed, (rule) =>
    pairsOfRule(rule).reduce((sum, pair) => sum + trial.workOf(pair), 0),
  );
  const effects = effectsOf(teller.graph, trial, looked.items.flatMap(pairsOfRule));
  const problems = [
    ...repetitions(rules).filter(({ rule }) => changed.some(({ index }) => index === rule)),
    ...looked.items.flatMap((rule) => problemsOfRule(rule, trial)),
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
