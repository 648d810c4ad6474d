/** From the objects in the caches to what the delegation graph is computed from. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import type { DelegationPolicy } from '../api/delegation-policy.ts';
import type { AgentFacts, PolicyFacts } from '../domain/delegation/facts.ts';
import { judgePolicy, type PolicyAcceptance } from '../domain/delegation/resolve-acceptance.ts';
import { resolveAgent } from '../domain/delegation/resolve-agent.ts';
import { resolvePolicy } from '../domain/delegation/resolve-policy.ts';
import { judgeEligibility } from '../domain/identity/eligibility.ts';
import { resolveAgentIdentity } from '../domain/identity/resolve.ts';
import { type IdentityView, olderClaimant } from './identity-view.ts';

/** A policy that counts, or why it does not. */
export type JudgedPolicy =
  | { readonly kind: 'accepted'; readonly facts: PolicyFacts }
  | Extract<PolicyAcceptance, { kind: 'refused' }>;

/**
 * An identity as the graph sees it. It is served as long as its objects say so: neither a role or a ServiceAccount that
 * is missing nor a certificate that could not be issued takes anything from the graph.
 */
export function agentFacts(view: IdentityView, { metadata, spec }: AgentIdentity): AgentFacts {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp } = metadata;
  const identity = resolveAgentIdentity(name, spec);
  const { facts, invalidFields } = resolveAgent({ namespace, name }, spec);
  const { serviceAccountName, isSuspended } = identity;
  const eligibility = judgeEligibility({
    namespace,
    serviceAccountName,
    namespaceScope: view.scopeOf(namespace),
    namespaceAccess: 'allowed',
    invalidFields: [...identity.invalidFields, ...invalidFields],
    unservedFields: [],
    isDeleting: deletionTimestamp !== undefined,
    isSuspended,
    serviceAccountExists: true,
    olderClaimant: olderClaimant(view, { namespace, uid, creationTimestamp, serviceAccountName }),
  });
  return { ...facts, isServed: eligibility.kind === 'eligible' };
}

/** Whether a policy counts, and what it says. */
export function judgedPolicy(view: IdentityView, { metadata, spec }: DelegationPolicy): JudgedPolicy {
  const { name, namespace, deletionTimestamp } = metadata;
  const { facts, invalidFields } = resolvePolicy({ namespace, name }, spec);
  const acceptance = judgePolicy({
    namespace,
    namespaceScope: view.scopeOf(namespace),
    isDeleting: deletionTimestamp !== undefined,
    invalidFields,
  });
  return acceptance.kind === 'accepted' ? { kind: 'accepted', facts } : acceptance;
}
