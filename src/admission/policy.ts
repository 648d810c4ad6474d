/** Reviews what people write into DelegationPolicies. */

import type { DelegationPolicy } from '../api/delegation-policy.ts';
import { additionsOf } from '../domain/admission/additions.ts';
import { addedInvalidFields } from '../domain/admission/invalid-fields.ts';
import { policyWarnings } from '../domain/admission/policy-effects.ts';
import type { Violation } from '../domain/admission/violation.ts';
import { wideningsOf } from '../domain/admission/widening.ts';
import { type ResolvedRules, resolvePolicy } from '../domain/delegation/resolve-policy.ts';
import type { Known } from './known.ts';
import { originateOf } from './originate-of.ts';
import { isPolicyShape } from './policy-shape.ts';
import type { Reviewer } from './review.ts';
import { type Judgement, type WishEdit, wishReviewer } from './review-wish.ts';

/**
 * Refuses what an edit adds and what can never be granted: what `from` does not hold for Delegate, what no target holds
 * when all of them exist, what boundaries do not leave; and fields that the schema lets through and that are not valid.
 */
export function reviewPolicy(known: Known): Reviewer {
  return wishReviewer(known, {
    kind: 'DelegationPolicy',
    isNamespaced: true,
    isShape: isPolicyShape,
    isKill: () => false,
    judge,
  });
}

const TOO_MUCH: Violation = {
  says: 'spec.rules: more of it is new at once than one review can compare with what was there',
  wayOut: 'Change fewer rules at a time, or split the policy',
};

function judge(known: Known, { namespace, before, after }: WishEdit<DelegationPolicy>): Judgement {
  const { graph } = known.book;
  const { name } = after.metadata;
  const rules: ResolvedRules = new Map();
  const old = before && resolvePolicy({ namespace, name }, before.spec, rules);
  const { facts, invalidFields } = resolvePolicy({ namespace, name }, after.spec, rules);
  const edit = { before: old?.facts, after: facts };
  const additions = additionsOf(edit);
  return {
    refusals: [
      {
        headline: 'this DelegationPolicy would grant nothing, because it is not valid',
        violations: addedInvalidFields(old?.invalidFields ?? [], invalidFields),
      },
      {
        headline: 'this would widen capabilities',
        violations: wideningsOf(additions, namespace, graph),
      },
      { headline: 'this cannot be judged', violations: additions.isAll ? [] : [TOO_MUCH] },
    ],
    warnings: () => policyWarnings(edit, { graph, originateOf: originateOf(known) }),
  };
}
