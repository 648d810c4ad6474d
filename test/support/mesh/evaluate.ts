/**
 * Decides calls by policy objects, whoever wrote them, as a cluster with Istio and a network plugin does. So tests ask
 * "may X call Y", never "is the YAML equal".
 */

import { type AuthorizationRule, needsHttp, ruleMatches, withoutHttp } from './authorization-rule.ts';
import { networkAllows } from './network-policy.ts';
import { mutualTlsMode } from './peer-authentication.ts';
import {
  type CalledPod,
  type Decision,
  hasLabels,
  type MeshRequest,
  nameOf,
  type PolicyObject,
  ROOT_NAMESPACE,
} from './policy-object.ts';

type Action = 'CUSTOM' | 'DENY' | 'ALLOW';

interface AuthorizationPolicySpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetRefs?: readonly unknown[];
  readonly targetRef?: unknown;
  readonly action?: string;
  readonly rules?: readonly AuthorizationRule[];
}

/**
 * Whether mesh and NetworkPolicies together let a call through.
 *
 * @throws Error when an object says something that cannot be judged with what a {@link MeshRequest} has.
 */
export function allows(objects: Iterable<PolicyObject>, pod: CalledPod, request: MeshRequest): Decision {
  const all = [...objects];
  const network = networkAllows(all, pod, request);
  return network.allowed ? meshAllows(all, pod, request) : network;
}

/**
 * Whether the mesh lets a call through: PeerAuthentication, then CUSTOM, DENY and ALLOW policies. A workload without an
 * ALLOW policy is open. Dry-run policies decide nothing.
 *
 * @throws Error as {@link allows}.
 */
export function meshAllows(objects: Iterable<PolicyObject>, pod: CalledPod, request: MeshRequest): Decision {
  const all = [...objects];
  const mode = mutualTlsMode(all, pod, request.port);
  if (mode === 'STRICT' && request.principal === undefined) {
    return { allowed: false, reason: 'mutual TLS is demanded' };
  }
  const seen = mode === 'DISABLE' ? { ...request, principal: undefined } : request;
  const policies = all.filter((object) => appliesTo(object, pod));
  const matching = (action: Action): PolicyObject | undefined =>
    policies.find((policy) => actionOf(policy) === action && matchesPolicy(policy, pod, seen));

  const custom = pod.dataPlane === 'ambient' ? undefined : matching('CUSTOM');
  if (custom !== undefined && !request.tokenVerified) return refusedBy(custom);
  const deny = matching('DENY');
  if (deny !== undefined) return refusedBy(deny);
  const allow = matching('ALLOW');
  if (allow !== undefined) return { allowed: true, reason: nameOf(allow) };
  const isOpen = !policies.some((policy) => actionOf(policy) === 'ALLOW');
  return { allowed: isOpen, reason: isOpen ? 'no ALLOW policy' : 'in no ALLOW policy' };
}

function refusedBy(policy: PolicyObject): Decision {
  return { allowed: false, reason: nameOf(policy) };
}

function specOf({ spec }: PolicyObject): AuthorizationPolicySpec {
  return spec ?? {};
}

function actionOf(policy: PolicyObject): string {
  return specOf(policy).action ?? 'ALLOW';
}

function appliesTo(object: PolicyObject, pod: CalledPod): boolean {
  const { kind, metadata } = object;
  const { selector, targetRef, targetRefs = [] } = specOf(object);
  return (
    kind === 'AuthorizationPolicy' &&
    metadata.annotations?.['istio.io/dry-run'] !== 'true' &&
    [pod.namespace, ROOT_NAMESPACE].includes(metadata.namespace) &&
    targetRef === undefined &&
    targetRefs.length === 0 &&
    hasLabels(pod.labels, selector?.matchLabels)
  );
}

function matchesPolicy(policy: PolicyObject, pod: CalledPod, request: MeshRequest): boolean {
  const context = { pod, request, policyNamespace: policy.metadata.namespace };
  const { rules = [] } = specOf(policy);
  const effective = pod.dataPlane === 'ambient' ? ztunnelRules(rules, actionOf(policy)) : rules;
  return effective.some((rule) => ruleMatches(rule, context));
}

/** A ztunnel sees no HTTP: it leaves out such ALLOW rules, and of DENY rules that part. */
function ztunnelRules(rules: readonly AuthorizationRule[], action: string): readonly AuthorizationRule[] {
  if (action === 'ALLOW') return rules.filter((rule) => !needsHttp(rule));
  return rules.map(withoutHttp).filter((rule) => rule !== undefined);
}
