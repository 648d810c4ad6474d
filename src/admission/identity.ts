/** Reviews what people write into AgentIdentities. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { agentFacts } from '../cluster/graph-facts.ts';
import { BY_CALLER } from '../cluster/identity-view.ts';
import { agentWarnings } from '../domain/admission/agent-effects.ts';
import type { Warning } from '../domain/admission/effect-warnings.ts';
import { namesOf } from '../domain/identity/resolve.ts';
import { unservedFields } from '../domain/identity/unserved.ts';
import { identityViolations } from './identity-checks.ts';
import { isIdentityShape } from './identity-shape.ts';
import type { Known } from './known.ts';
import { originateOf } from './originate-of.ts';
import type { Reviewer } from './review.ts';
import { type Judgement, type WishEdit, wishReviewer } from './review-wish.ts';

/**
 * Refuses what an edit adds and what keeps the agent from being served. Raising a ceiling is a matter of the verb `grant`
 * and not refused here: the answer tells every edge that gains by it.
 */
export function reviewIdentity(known: Known): Reviewer {
  return wishReviewer(known, {
    kind: 'AgentIdentity',
    isNamespaced: true,
    isShape: isIdentityShape,
    isKill: ({ spec }) => spec.suspended === true,
    judge,
  });
}

function judge(known: Known, { namespace, before, after }: WishEdit<AgentIdentity>): Judgement {
  const edit = {
    namespace,
    before: before && inNamespace(before, namespace),
    after: inNamespace(after, namespace),
  };
  return {
    refusals: [
      {
        headline: 'this AgentIdentity could not be served',
        violations: identityViolations(known.view, edit),
      },
    ],
    warnings: () => [...unserved(edit), ...calledBy(known, edit), ...effects(known, edit)],
  };
}

function inNamespace({ metadata, spec }: AgentIdentity, namespace: string): AgentIdentity {
  return { metadata: { ...metadata, namespace }, spec };
}

function unserved({ before, after }: WishEdit<AgentIdentity>): readonly Warning[] {
  const known = new Set(unservedFields({ ...before?.spec }));
  const added = unservedFields({ ...after.spec }).filter((field) => !known.has(field));
  if (added.length === 0) return [];
  return [
    () => `this version does not act on ${added.join(', ')}: the agent is not served until that is taken out`,
  ];
}

/** Who lets the ServiceAccount in as no agent, which it is from now on. */
function calledBy(
  { view }: Known,
  { namespace, before, after }: WishEdit<AgentIdentity>,
): readonly Warning[] {
  if (before !== undefined) return [];
  const { serviceAccountName } = namesOf(after.metadata.name, after.spec);
  const account = `${namespace}/${serviceAccountName}`;
  return view.identities
    .byIndex(BY_CALLER, account)
    .map(
      (key) => () =>
        `AgentIdentity ${key} names ${account} in spec.callers, which no agent may be: nobody can call ${key} until it is taken out there`,
    );
}

function effects(known: Known, { before, after }: WishEdit<AgentIdentity>): readonly Warning[] {
  const { view, book } = known;
  return agentWarnings(
    { before: before && agentFacts(view, before), after: agentFacts(view, after) },
    { graph: book.graph, originateOf: originateOf(known) },
  );
}
