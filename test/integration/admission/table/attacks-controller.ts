/** What whoever stole the token of the controller cannot do, with every process of ours down. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  call,
  create,
  impersonate,
  mergePatch,
  type Request,
  read,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, policy, type Row, rbac } from './row.ts';
import { AGENTS, ELSEWHERE } from './users.ts';
import { at, delegation, identity, pod, quarantine, ROOT, TOKEN_REQUEST } from './world.ts';

const user = 'controller';

const planner = at('AgentIdentity', 'planner', AGENTS);

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

/** See the file. */
export const CONTROLLER_ATTACKS: readonly Row[] = [
  attack('reads a Secret of kube-system', read(at('Secret', 'foreign', 'kube-system')), rbac),
  attack(
    'reads a Secret of a namespace that is not governed',
    read(at('Secret', 'foreign', ELSEWHERE)),
    rbac,
  ),
  attack('reads all Secrets of the cluster', read({ kind: 'Secret' }), rbac),
  attack(
    'reads the certificate of the webhook',
    read(at('Secret', 'agent-trust-webhook-tls', OPERATOR_NAMESPACE)),
    rbac,
  ),
  attack('reads the ConfigMaps of kube-system', read({ kind: 'ConfigMap', namespace: 'kube-system' }), rbac),
  attack(
    'makes a token of an agent',
    call({ ...at('ServiceAccount', 'planner', AGENTS), subresource: 'token' }, TOKEN_REQUEST),
    rbac,
  ),
  attack(
    'makes a token of the webhook',
    call(
      { ...at('ServiceAccount', 'agent-trust-webhook', OPERATOR_NAMESPACE), subresource: 'token' },
      TOKEN_REQUEST,
    ),
    rbac,
  ),
  attack(
    'makes a token of the garbage collector',
    call(
      { ...at('ServiceAccount', 'generic-garbage-collector', 'kube-system'), subresource: 'token' },
      TOKEN_REQUEST,
    ),
    rbac,
  ),
  attack('passes for a cluster admin', impersonate('cluster-admin'), rbac),
  attack('passes for an agent', impersonate(`system:serviceaccount:${AGENTS}:planner`), rbac),
  attack('binds itself to cluster-admin', create(binding('ClusterRoleBinding', 'cluster-admin')), rbac),
  attack(
    'binds itself to edit in a namespace',
    create({ ...binding('RoleBinding', 'edit'), metadata: { name: 'attack', namespace: ELSEWHERE } }),
    rbac,
  ),
  attack(
    'gives its ClusterRole more',
    mergePatch(at('ClusterRole', 'agent-trust-controller'), {
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    }),
    rbac,
  ),
  attack('creates a pod', create(pod('attack')), rbac),
  attack('runs a command in a pod', call({ ...at('Pod', 'planner-0', AGENTS), subresource: 'exec' }), rbac),
  attack(
    'puts a container into a pod',
    mergePatch({ ...at('Pod', 'planner-0', AGENTS), subresource: 'ephemeralcontainers' }, {}),
    rbac,
  ),
  attack('deletes a pod', remove(at('Pod', 'planner-0', AGENTS)), rbac),
  attack('evicts a pod', call({ ...at('Pod', 'planner-0', AGENTS), subresource: 'eviction' }), rbac),
  attack(
    'writes a webhook configuration',
    mergePatch(at('ValidatingWebhookConfiguration', 'agent-trust'), { webhooks: [] }),
    rbac,
  ),
  attack(
    'creates a webhook configuration',
    create({ kind: 'MutatingWebhookConfiguration', metadata: { name: 'attack' } }),
    rbac,
  ),
  attack(
    'deletes an admission policy',
    remove(at('ValidatingAdmissionPolicy', 'agent-trust-fence-secrets')),
    rbac,
  ),
  attack(
    'deletes the binding of an admission policy',
    remove(at('ValidatingAdmissionPolicyBinding', 'agent-trust-fence-secrets')),
    rbac,
  ),
  attack(
    'edits a CustomResourceDefinition',
    mergePatch(at('CustomResourceDefinition', 'agentidentities.agenttrust.dev'), {}),
    rbac,
  ),
  attack('edits a node', mergePatch(at('Node', 'node-1'), { metadata: { labels: { x: 'y' } } }), rbac),
  attack(
    'reaches a kubelet through the API server',
    read({ ...at('Node', 'node-1'), subresource: 'proxy' }),
    rbac,
  ),
  attack(
    'labels a namespace',
    mergePatch(at('Namespace', AGENTS), { metadata: { labels: { 'istio-injection': 'disabled' } } }),
    rbac,
  ),
  attack(
    'asks for a client certificate',
    create({ kind: 'CertificateSigningRequest', metadata: { name: 'attack' } }),
    rbac,
  ),
  attack('creates an AgentIdentity', create(identity('attack')), rbac),
  attack('raises a ceiling', mergePatch(planner, { spec: { capabilities: [ROOT] } }), rbac),
  attack(
    'raises a ceiling through the status',
    update({ ...planner, subresource: 'status' }, { spec: { capabilities: [ROOT] } }),
    rbac,
  ),
  attack(
    'lifts the suspension of an agent',
    mergePatch(at('AgentIdentity', 'frozen', AGENTS), { spec: { suspended: false } }),
    rbac,
  ),
  attack('deletes an AgentIdentity', remove(planner), rbac),
  attack('puts a finalizer on an AgentIdentity', update({ ...planner, subresource: 'finalizers' }, {}), rbac),
  attack('creates a DelegationPolicy', create(delegation('attack')), rbac),
  attack(
    'widens a CapabilityBoundary',
    mergePatch(at('CapabilityBoundary', 'house'), { spec: { capabilities: null } }),
    rbac,
  ),
  attack('creates a Quarantine', create(quarantine('attack', 'planner')), rbac),
  attack('lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac),
  attack(
    'writes the status of a Quarantine',
    mergePatch({ ...at('Quarantine', 'held', AGENTS), subresource: 'status' }, { status: {} }),
    rbac,
  ),
  attack(
    'deletes a TokenRevocation',
    remove(at('TokenRevocation', 'leak', AGENTS)),
    policy(
      'fence-kinds',
      'the processes of agent-trust write nothing of agenttrust.dev but status, and delete only TokenRevocations with spec.ttlAfterExpiry',
    ),
  ),
  attack(
    'takes over a Lease of somebody else',
    update(at('Lease', 'foreign', OPERATOR_NAMESPACE), { spec: { holderIdentity: 'attack' } }),
    rbac,
  ),
];

function binding(
  kind: string,
  role: string,
): {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
} {
  return {
    kind,
    metadata: { name: 'attack' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace: OPERATOR_NAMESPACE, name: 'agent-trust-controller' }],
  };
}
