/** The kinds that admission tests ask about, by their name. */

import {
  AGENT_IDENTITY,
  CAPABILITY_BOUNDARY,
  DELEGATION_POLICY,
  QUARANTINE,
  TOKEN_REVOCATION,
} from '../../../src/api/group.ts';
import {
  CONFIG_MAP,
  EVENT,
  LEASE,
  NAMESPACE,
  SECRET,
  SERVICE_ACCOUNT,
} from '../../../src/kube/core-types.ts';
import type { ResourceType } from '../../../src/kube/object.ts';

const CLUSTER = false;

function kind(group: string, plural: string, name: string, namespaced = true): ResourceType {
  return { group, version: 'v1', plural, kind: name, namespaced };
}

const ALL: readonly ResourceType[] = [
  AGENT_IDENTITY,
  CAPABILITY_BOUNDARY,
  DELEGATION_POLICY,
  QUARANTINE,
  TOKEN_REVOCATION,
  CONFIG_MAP,
  EVENT,
  LEASE,
  NAMESPACE,
  SECRET,
  SERVICE_ACCOUNT,
  kind('', 'pods', 'Pod'),
  kind('', 'services', 'Service'),
  kind('', 'nodes', 'Node', CLUSTER),
  kind('apps', 'deployments', 'Deployment'),
  kind('networking.k8s.io', 'networkpolicies', 'NetworkPolicy'),
  kind('security.istio.io', 'authorizationpolicies', 'AuthorizationPolicy'),
  kind('security.istio.io', 'peerauthentications', 'PeerAuthentication'),
  kind('cert-manager.io', 'certificaterequests', 'CertificateRequest'),
  kind('rbac.authorization.k8s.io', 'roles', 'Role'),
  kind('rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding'),
  kind('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', CLUSTER),
  kind('rbac.authorization.k8s.io', 'clusterrolebindings', 'ClusterRoleBinding', CLUSTER),
  kind('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition', CLUSTER),
  kind(
    'admissionregistration.k8s.io',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    CLUSTER,
  ),
  kind(
    'admissionregistration.k8s.io',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    CLUSTER,
  ),
  kind('admissionregistration.k8s.io', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', CLUSTER),
  kind(
    'admissionregistration.k8s.io',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    CLUSTER,
  ),
  kind('certificates.k8s.io', 'certificatesigningrequests', 'CertificateSigningRequest', CLUSTER),
  kind('authentication.k8s.io', 'tokenreviews', 'TokenReview', CLUSTER),
];

const BY_KIND = new Map(ALL.map((type) => [type.kind, type]));

/** Where the kind lives on the server. */
export function typeOf(name: string): ResourceType {
  const type = BY_KIND.get(name);
  if (type === undefined) throw new Error(`no such kind in the tests: ${name}`);
  return type;
}
