/** What whoever stole the token of the webhook cannot do beside its configurations, with every process of ours down. */

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
import { type Expected, policy, type Row, rbac, schema } from './row.ts';
import { AGENTS } from './users.ts';
import {
  accountToken,
  at,
  configMap,
  delegation,
  identity,
  pod,
  quarantine,
  ROOT,
  secret,
  TOKEN_REQUEST,
  wallOf,
} from './world.ts';

const OTHER_SECRET: Expected = policy(
  'fence-webhook-secret',
  'the webhook of agent-trust writes Secret agent-trust-webhook-tls of type kubernetes.io/tls in its own namespace, and no other',
);

const user = 'webhook';
const OWN = at('Secret', 'agent-trust-webhook-tls', OPERATOR_NAMESPACE);

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

/** See the file. */
export const WEBHOOK_OTHER_ATTACKS: readonly Row[] = [
  attack(
    'creates a Secret with the token of the controller',
    create(accountToken('attack-1', 'agent-trust-controller', OPERATOR_NAMESPACE)),
    OTHER_SECRET,
  ),
  attack(
    'creates a Secret of another name',
    create(
      secret('attack-2', OPERATOR_NAMESPACE, {
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': '', 'tls.key': '' },
      }),
    ),
    OTHER_SECRET,
  ),
  attack(
    'creates a Secret with a name that the server makes',
    create({
      kind: 'Secret',
      metadata: { generateName: 'agent-trust-webhook-tls', namespace: OPERATOR_NAMESPACE },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': '', 'tls.key': '' },
    }),
    OTHER_SECRET,
  ),
  attack(
    'makes another type of its Secret',
    update(OWN, { type: 'Opaque' }),
    schema('type: Invalid value: "Opaque": field is immutable'),
  ),
  attack('creates a Secret where agents live', create(secret('attack-3')), rbac),
  attack('reads the keys of the authority', read(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)), rbac),
  attack(
    'deletes the keys of the authority',
    remove(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)),
    rbac,
  ),
  attack(
    'lists the Secrets of its own namespace',
    read({ kind: 'Secret', namespace: OPERATOR_NAMESPACE }),
    rbac,
  ),
  attack('reads the Secret of an agent', read(at('Secret', 'planner-tls', AGENTS)), rbac),
  attack('reads a Secret of kube-system', read(at('Secret', 'foreign', 'kube-system')), rbac),
  attack(
    'edits the issuance ledger',
    update(at('ConfigMap', 'agent-trust-ledger-1', OPERATOR_NAMESPACE), { data: {} }),
    rbac,
  ),
  attack('creates a ConfigMap', create(configMap('attack', OPERATOR_NAMESPACE)), rbac),
  attack(
    'takes the Lease of the controller',
    update(at('Lease', 'foreign', OPERATOR_NAMESPACE), { spec: { holderIdentity: 'attack' } }),
    rbac,
  ),
  attack(
    'makes a token of the controller',
    call(
      { ...at('ServiceAccount', 'agent-trust-controller', OPERATOR_NAMESPACE), subresource: 'token' },
      TOKEN_REQUEST,
    ),
    rbac,
  ),
  attack(
    'passes for the controller',
    impersonate(`system:serviceaccount:${OPERATOR_NAMESPACE}:agent-trust-controller`),
    rbac,
  ),
  attack('creates a pod', create(pod('attack')), rbac),
  attack('runs a command in a pod', call({ ...at('Pod', 'planner-0', AGENTS), subresource: 'exec' }), rbac),
  attack(
    'raises a ceiling',
    mergePatch(at('AgentIdentity', 'planner', AGENTS), { spec: { capabilities: [ROOT] } }),
    rbac,
  ),
  attack(
    'writes the status of an AgentIdentity',
    mergePatch({ ...at('AgentIdentity', 'planner', AGENTS), subresource: 'status' }, { status: {} }),
    rbac,
  ),
  attack('creates an AgentIdentity', create(identity('attack')), rbac),
  attack('creates a DelegationPolicy', create(delegation('attack')), rbac),
  attack(
    'widens a CapabilityBoundary',
    mergePatch(at('CapabilityBoundary', 'house'), { spec: { capabilities: null } }),
    rbac,
  ),
  attack('creates a Quarantine', create(quarantine('attack', 'planner')), rbac),
  attack('lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac),
  attack('opens the wall of an agent', remove(wallOf('planner')), rbac),
  attack(
    'edits a CustomResourceDefinition',
    mergePatch(at('CustomResourceDefinition', 'agentidentities.agenttrust.dev'), {}),
    rbac,
  ),
  attack('edits a node', mergePatch(at('Node', 'node-1'), { metadata: { labels: { x: 'y' } } }), rbac),
  attack(
    'labels a namespace',
    mergePatch(at('Namespace', AGENTS), { metadata: { labels: { x: 'y' } } }),
    rbac,
  ),
  attack(
    'binds itself to cluster-admin',
    create({
      kind: 'ClusterRoleBinding',
      metadata: { name: 'attack' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: OPERATOR_NAMESPACE, name: 'agent-trust-webhook' }],
    }),
    rbac,
  ),
];
