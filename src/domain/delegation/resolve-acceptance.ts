/** Whether a DelegationPolicy counts at all. What stands in its way is reported; it grants nothing then. */

/** What is known of a policy at one instant. */
export interface PolicySituation {
  readonly namespace: string;
  /** Whether the operator was told to serve this namespace. `never`: it holds no agents, whatever anybody says. */
  readonly namespaceScope: 'governed' | 'outside' | 'never';
  /** Whether its deletion was asked for; it cannot be taken back. */
  readonly isDeleting: boolean;
  /** Violations of the schema that are stored all the same: field path and rule. */
  readonly invalidFields: readonly string[];
}

/** Why a policy is not accepted. Reasons of its condition Accepted. */
export type PolicyRefusal = 'NamespaceNotGoverned' | 'Deleting' | 'InvalidSpec';

/** The decision, with a sentence for people. */
export type PolicyAcceptance =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: PolicyRefusal; readonly message: string };

/** So many fields are named in one message. */
const MAX_NAMED = 8;

/** Decides whether the policy counts. Every input yields an answer; none throws. */
export function judgePolicy(situation: PolicySituation): PolicyAcceptance {
  const { namespace, namespaceScope, isDeleting, invalidFields } = situation;
  if (namespaceScope !== 'governed') {
    const message =
      namespaceScope === 'never'
        ? `Namespace ${namespace} holds no agents: it belongs to Kubernetes or to the operator itself. Move the policy to the namespace of the agents that delegate.`
        : `Namespace ${namespace} is not in the chart's list "namespaces", so nothing is granted to its agents. Add it: helm upgrade ... --set 'namespaces={...,${namespace}}'.`;
    return { kind: 'refused', reason: 'NamespaceNotGoverned', message };
  }
  if (isDeleting) {
    const message = 'This DelegationPolicy is being deleted: it grants nothing any more.';
    return { kind: 'refused', reason: 'Deleting', message };
  }
  if (invalidFields.length === 0) return { kind: 'accepted' };
  const message = `${nameSome(invalidFields)}. The whole policy grants nothing until that is mended.`;
  return { kind: 'refused', reason: 'InvalidSpec', message };
}

/** The first of them in words, and how many more there are. */
export function nameSome(sentences: readonly string[]): string {
  const more = sentences.length - MAX_NAMED;
  return `${sentences.slice(0, MAX_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
