/** Reviews what people write into CapabilityBoundaries. */

import type { CapabilityBoundary } from '../api/capability-boundary.ts';
import { BY_NAMESPACE } from '../cluster/identity-view.ts';
import { boundaryWarnings } from '../domain/admission/boundary-effects.ts';
import { addedInvalidFields } from '../domain/admission/invalid-fields.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import { resolveBoundary } from '../domain/delegation/resolve-boundary.ts';
import { isBoundaryShape } from './boundary-shape.ts';
import type { Known } from './known.ts';
import { originateOf } from './originate-of.ts';
import type { Reviewer } from './review.ts';
import { type Judgement, type WishEdit, wishReviewer } from './review-wish.ts';

/** Refuses only fields that the schema lets through and that are not valid: a boundary by itself widens nothing. */
export function reviewBoundary(known: Known): Reviewer {
  return wishReviewer(known, {
    kind: 'CapabilityBoundary',
    isNamespaced: false,
    isShape: isBoundaryShape,
    isKill: () => false,
    judge,
  });
}

function judge(known: Known, { before, after }: WishEdit<CapabilityBoundary>): Judgement {
  const { name } = after.metadata;
  const old = before && resolveBoundary(name, before.spec);
  const { facts, invalidFields } = resolveBoundary(name, after.spec);
  return {
    refusals: [
      {
        headline: 'this CapabilityBoundary is not valid',
        violations: addedInvalidFields(old?.invalidFields ?? [], invalidFields),
      },
    ],
    warnings: () =>
      boundaryWarnings(old?.facts, facts, {
        graph: known.book.graph,
        originateOf: originateOf(known),
        namespaces: namespaceLabels(known),
        agentsIn: (namespace) => known.view.identities.byIndex(BY_NAMESPACE, namespace) as AgentId[],
      }),
  };
}

function namespaceLabels({ delegation }: Known): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const { namespaces } = delegation;
  return new Map([...namespaces.keys()].map((name) => [name, namespaces.get(name)?.labels ?? {}]));
}
