/**
 * What the editor of a namespace cannot do to the agents of it, with every process of ours down. What an editor may do is
 * in docs/admission.md: the namespace is the trust boundary.
 */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  call,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  read,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, type Row, rbac } from './row.ts';
import { AGENTS, DATA, ELSEWHERE } from './users.ts';
import { at, delegation, identity, quarantine, ROOT, TOKEN_REQUEST } from './world.ts';

const user = 'namespace editor';
const planner = at('AgentIdentity', 'planner', AGENTS);
const frozen = at('AgentIdentity', 'frozen', AGENTS);

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

const OURS: readonly Row[] = [
  attack('raises a ceiling by merge patch', mergePatch(planner, { spec: { capabilities: [ROOT] } }), rbac),
  attack(
    'raises a ceiling by JSON patch',
    jsonPatch(planner, { op: 'add', path: '/spec/capabilities/-', value: ROOT }),
    rbac,
  ),
  attack('raises a ceiling by update', update(planner, { spec: { capabilities: [ROOT] } }), rbac),
  attack('raises a ceiling by server-side apply', apply(identity('planner', { capabilities: [ROOT] })), rbac),
  attack(
    'raises a ceiling through the status',
    update({ ...planner, subresource: 'status' }, { spec: { capabilities: [ROOT] } }),
    rbac,
  ),
  attack('creates an AgentIdentity', create(identity('attack')), rbac),
  attack(
    'creates an AgentIdentity with a name that the server makes',
    create({ kind: 'AgentIdentity', metadata: { generateName: 'attack-', namespace: AGENTS }, spec: {} }),
    rbac,
  ),
  attack('deletes an AgentIdentity', remove(planner), rbac),
  attack('deletes all AgentIdentities', remove({ kind: 'AgentIdentity', namespace: AGENTS }), rbac),
  attack('lifts the suspension of an agent', mergePatch(frozen, { spec: { suspended: false } }), rbac),
  attack('deletes a suspended agent', remove(frozen), rbac),
  attack('puts a finalizer on an AgentIdentity', update({ ...planner, subresource: 'finalizers' }, {}), rbac),
  attack(
    'renews the certificate of an agent by annotation',
    mergePatch(planner, {
      metadata: { annotations: { 'agenttrust.dev/renew-before': '2036-01-01T00:00:00Z' } },
    }),
    rbac,
  ),
  attack('creates a DelegationPolicy', create(delegation('attack')), rbac),
  attack(
    'widens a DelegationPolicy',
    mergePatch(at('DelegationPolicy', 'plan', AGENTS), { spec: { rules: [] } }),
    rbac,
  ),
  attack('deletes a DelegationPolicy', remove(at('DelegationPolicy', 'plan', AGENTS)), rbac),
  attack('deletes a CapabilityBoundary', remove(at('CapabilityBoundary', 'house')), rbac),
  attack('creates a Quarantine', create(quarantine('attack', 'planner')), rbac),
  attack('lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac),
  attack('lifts all Quarantines', remove({ kind: 'Quarantine', namespace: AGENTS }), rbac),
  attack(
    'has a Quarantine collected as garbage',
    mergePatch(at('Quarantine', 'held', AGENTS), {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'gone', uid: 'gone' }] },
    }),
    rbac,
  ),
  attack('deletes a TokenRevocation', remove(at('TokenRevocation', 'leak', AGENTS)), rbac),
];

const ELSE: readonly Row[] = [
  attack(
    'reads the Secret of an agent of another namespace',
    read(at('Secret', 'librarian-tls', DATA)),
    rbac,
  ),
  attack(
    'reads a Secret of a namespace that is not governed',
    read(at('Secret', 'foreign', ELSEWHERE)),
    rbac,
  ),
  attack('reads a Secret of kube-system', read(at('Secret', 'foreign', 'kube-system')), rbac),
  attack('reads the keys of the authority', read(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)), rbac),
  attack(
    'edits the issuance ledger',
    mergePatch(at('ConfigMap', 'agent-trust-ledger-1', OPERATOR_NAMESPACE), { data: {} }),
    rbac,
  ),
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
    'makes a token of an agent of another namespace',
    call({ ...at('ServiceAccount', 'librarian', DATA), subresource: 'token' }, TOKEN_REQUEST),
    rbac,
  ),
  attack(
    'runs a command in a pod of the operator',
    call({
      kind: 'Pod',
      name: 'agent-trust-controller-0',
      namespace: OPERATOR_NAMESPACE,
      subresource: 'exec',
    }),
    rbac,
  ),
  attack(
    'binds a role to itself',
    create({
      kind: 'RoleBinding',
      metadata: { name: 'attack', namespace: AGENTS },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'agent-trust-security' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'namespace-editor' }],
    }),
    rbac,
  ),
  attack(
    'deletes the webhook configuration',
    remove(at('ValidatingWebhookConfiguration', 'agent-trust')),
    rbac,
  ),
  attack(
    'deletes the binding of an admission policy',
    remove(at('ValidatingAdmissionPolicyBinding', 'agent-trust-managed-secrets')),
    rbac,
  ),
  attack(
    'edits a CustomResourceDefinition',
    mergePatch(at('CustomResourceDefinition', 'agentidentities.agenttrust.dev'), {}),
    rbac,
  ),
  attack(
    'takes the namespace out of the mesh',
    mergePatch(at('Namespace', AGENTS), { metadata: { labels: { 'istio-injection': 'disabled' } } }),
    rbac,
  ),
];

/** See the file. */
export const EDITOR_ATTACKS: readonly Row[] = [...OURS, ...ELSE];
