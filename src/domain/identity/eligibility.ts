/** Whether an identity can be served at all. The first thing in the way is the one reported. */

/** What is known about one identity and its surroundings at one instant. */
export interface IdentitySituation {
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Whether the operator was told to serve this namespace. `never`: it holds no agents, whatever anybody says. */
  readonly namespaceScope: 'governed' | 'outside' | 'never';
  /** What the API server answers in this namespace: `refused` when the operator's role is missing there. */
  readonly namespaceAccess: 'allowed' | 'refused';
  /** Violations of the schema that are stored all the same: field path and rule. */
  readonly invalidFields: readonly string[];
  /** Paths of fields that are set and that no code acts on. */
  readonly unservedFields: readonly string[];
  /** Whether its deletion was asked for; it cannot be taken back. */
  readonly isDeleting: boolean;
  readonly isSuspended: boolean;
  readonly serviceAccountExists: boolean;
  /** Name of the older AgentIdentity on the same ServiceAccount, if there is one. */
  readonly olderClaimant: string | undefined;
}

/** Why an identity is not served. A subset of the reasons of the condition Ready. */
export type RefusalReason =
  | 'NamespaceNotGoverned'
  | 'NamespaceRoleMissing'
  | 'InvalidSpec'
  | 'NotServed'
  | 'Deleting'
  | 'Quarantined'
  | 'ServiceAccountTaken'
  | 'ServiceAccountMissing';

/** `wipe`: whether a Secret that exists already must go. */
export type Eligibility =
  | { readonly kind: 'eligible' }
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      readonly message: string;
      readonly wipe: boolean;
    };

type Check = (situation: IdentitySituation) => Exclude<Eligibility, { kind: 'eligible' }> | undefined;

const CHECKS: readonly Check[] = [
  namespaceGoverned,
  namespaceAllowed,
  notDeleting,
  notSuspended,
  specValid,
  serviceAccountFree,
  fieldsServed,
  serviceAccountPresent,
];

/** Decides whether the identity is served now. Every input yields an answer; none throws. */
export function judgeEligibility(situation: IdentitySituation): Eligibility {
  for (const check of CHECKS) {
    const refusal = check(situation);
    if (refusal !== undefined) return refusal;
  }
  return { kind: 'eligible' };
}

/** The sentence for a namespace of the list in which the operator has no rights. */
export function namespaceRoleMissing(namespace: string): string {
  return `The API server refuses the operator's access to Secrets or ConfigMaps of namespace ${namespace}: the RoleBinding agent-trust-controller is missing there (with clusterWide, the ClusterRoleBinding agent-trust-all-namespaces). helm upgrade puts it back.`;
}

/** The sentences for a second identity on one ServiceAccount. */
export function serviceAccountTaken({
  namespace,
  serviceAccountName,
  olderClaimant,
}: Pick<IdentitySituation, 'namespace' | 'serviceAccountName'> & { readonly olderClaimant: string }): string {
  return `ServiceAccount ${namespace}/${serviceAccountName} is the identity of the older AgentIdentity ${olderClaimant}. Create a ServiceAccount for this agent alone and a new AgentIdentity that names it.`;
}

function namespaceGoverned(situation: IdentitySituation): ReturnType<Check> {
  const { namespace, namespaceScope } = situation;
  if (namespaceScope === 'governed') return undefined;
  const message =
    namespaceScope === 'never'
      ? `Namespace ${namespace} holds no agents: it belongs to Kubernetes or to the operator itself. Move the agent to another namespace.`
      : `Namespace ${namespace} is not in the chart's list "namespaces", so the operator may not write Secrets there. Add it: helm upgrade ... --set 'namespaces={...,${namespace}}'.`;
  return { kind: 'refused', reason: 'NamespaceNotGoverned', message, wipe: false };
}

function namespaceAllowed(situation: IdentitySituation): ReturnType<Check> {
  if (situation.namespaceAccess === 'allowed') return undefined;
  const message = namespaceRoleMissing(situation.namespace);
  return { kind: 'refused', reason: 'NamespaceRoleMissing', message, wipe: false };
}

function notDeleting({ isDeleting }: IdentitySituation): ReturnType<Check> {
  if (!isDeleting) return undefined;
  const message =
    'This AgentIdentity is being deleted: its Secrets are wiped and nothing is issued any more.';
  return { kind: 'refused', reason: 'Deleting', message, wipe: true };
}

function notSuspended(situation: IdentitySituation): ReturnType<Check> {
  if (!situation.isSuspended) return undefined;
  const message =
    'spec.suspended is true: the Secrets are wiped and nothing is issued. A certificate that a pod has already read is on the list of revoked ones; who checks no list takes it until its end. Set spec.suspended to false to lift it.';
  return { kind: 'refused', reason: 'Quarantined', message, wipe: true };
}

function specValid({ invalidFields }: IdentitySituation): ReturnType<Check> {
  if (invalidFields.length === 0) return undefined;
  return { kind: 'refused', reason: 'InvalidSpec', message: `${invalidFields.join('; ')}.`, wipe: false };
}

function serviceAccountFree(situation: IdentitySituation): ReturnType<Check> {
  const { olderClaimant, namespace, serviceAccountName } = situation;
  if (olderClaimant === undefined) return undefined;
  const message = serviceAccountTaken({ namespace, serviceAccountName, olderClaimant });
  return { kind: 'refused', reason: 'ServiceAccountTaken', message, wipe: true };
}

function fieldsServed({ unservedFields }: IdentitySituation): ReturnType<Check> {
  if (unservedFields.length === 0) return undefined;
  const message = `This version does not act on ${unservedFields.join(', ')}. Take it out of the spec, or upgrade the operator.`;
  return { kind: 'refused', reason: 'NotServed', message, wipe: false };
}

function serviceAccountPresent(situation: IdentitySituation): ReturnType<Check> {
  if (situation.serviceAccountExists) return undefined;
  const { namespace, serviceAccountName } = situation;
  const message = `ServiceAccount ${namespace}/${serviceAccountName} does not exist. Create it; the certificate follows by itself.`;
  return { kind: 'refused', reason: 'ServiceAccountMissing', message, wipe: false };
}
