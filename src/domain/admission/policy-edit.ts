/** A policy before and after an edit, and the part of it that the edit is about. */

import type { PlacedRule } from '../delegation/edge.ts';
import type { PolicyFacts, RuleFacts } from '../delegation/facts.ts';
import { placeRule } from '../delegation/rule-index.ts';

/** A policy as it is stored, if it is, and as it would be. Rules that are one object say the same. */
export interface PolicyEdit {
  readonly before: PolicyFacts | undefined;
  readonly after: PolicyFacts;
}

/** Rules before and after, each at its place. */
export interface EditedRules {
  readonly before: readonly PlacedRule[];
  readonly after: readonly PlacedRule[];
}

/** The rules of a policy, each at its place. */
export function placedRules(policy: PolicyFacts): readonly PlacedRule[] {
  return placed(policy, () => true);
}

/**
 * All rules of the agents of which some rule is not the object that it was in the same place. Rules of one agent have
 * nothing to do with those of another: what is new, changed or repeated is all among these.
 */
export function editedRules({ before, after }: PolicyEdit): EditedRules {
  const edited = new Set(
    after.rules.filter((rule, index) => rule !== before?.rules[index]).map(({ from }) => from),
  );
  const isEdited = ({ from }: RuleFacts) => edited.has(from);
  return { before: before === undefined ? [] : placed(before, isEdited), after: placed(after, isEdited) };
}

function placed(
  { namespace, name, maxDepth, rules }: PolicyFacts,
  isWanted: (rule: RuleFacts) => boolean,
): readonly PlacedRule[] {
  return rules.flatMap((facts, index) =>
    isWanted(facts) ? placeRule(`${namespace}/${name}`, { index, facts, maxDepth }) : [],
  );
}
