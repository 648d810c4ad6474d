/**
 * What a taken-over agent cannot do with the token of its own ServiceAccount, with every process of ours down: without any
 * role, and with every role that its team could have given it.
 */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  call,
  create,
  impersonate,
  jsonPatch,
  mergePatch,
  type Request,
  read,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, invalid, policy, type Row, rbac } from './row.ts';
import { AGENTS, DATA } from './users.ts';
import {
  at,
  configMap,
  delegation,
  GET,
  identity,
  MANAGED,
  pod,
  quarantine,
  ROOT,
  secret,
  TOKEN_REQUEST,
  wallOf,
} from './world.ts';

const leash: Expected = policy(
  'leash-objects',
  `ServiceAccounts of namespaces with agents write no object kept by agent-trust. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ${AGENTS}`,
);
const kept = (kind: string, what: string, name: string): Expected =>
  policy(
    `managed-${kind}`,
    `${what} ${AGENTS}/${name} is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from`,
  );
const files = kept('secrets', 'Secret', 'planner-tls');
const NO_IDENTITIES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no agentidentities.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);
const NO_POLICIES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no delegationpolicies.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);
const NO_QUARANTINES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no quarantines.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);
const LABEL = 'agenttrust.dev/identity';

function rowsOf(
  user: Row['user'],
  rows: readonly (readonly [string, Request, Expected, Expected?])[],
): readonly Row[] {
  return rows.map(([does, request, answer, or]) => ({
    user,
    does,
    request,
    answer,
    ...(or === undefined ? {} : { or }),
  }));
}

const agent = (name: string): ReturnType<typeof at> => at('AgentIdentity', name, AGENTS);

/** See the file. */
export const AGENT_ATTACKS: readonly Row[] = [
  ...rowsOf('agent', [
    ['raises its own ceiling', mergePatch(agent('planner'), { spec: { capabilities: [ROOT] } }), rbac],
    ['creates an AgentIdentity', create(identity('attack')), rbac],
    ['creates a DelegationPolicy', create(delegation('attack')), rbac],
    ['reads the policies', read({ kind: 'DelegationPolicy', namespace: AGENTS }), rbac],
    ['lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac],
    ['quarantines another agent', create(quarantine('attack', 'deployer')), rbac],
    ['reads the Secret of another agent', read(at('Secret', 'deployer-tls', AGENTS)), rbac],
    ['reads all Secrets of its namespace', read({ kind: 'Secret', namespace: AGENTS }), rbac],
    [
      'makes a token of another agent',
      call({ ...at('ServiceAccount', 'deployer', AGENTS), subresource: 'token' }, TOKEN_REQUEST),
      rbac,
    ],
    ['passes for another agent', impersonate(`system:serviceaccount:${AGENTS}:deployer`), rbac],
    ['creates a pod', create(pod('attack')), rbac],
    ['runs a command in a pod', call({ ...at('Pod', 'planner-0', AGENTS), subresource: 'exec' }), rbac],
    ['deletes the wall of another agent', remove(wallOf('deployer')), rbac],
    ['edits the trust bundle', mergePatch(at('ConfigMap', 'agent-trust-bundle', AGENTS), { data: {} }), rbac],
    ['reads the keys of the authority', read(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)), rbac],
  ]),
  ...rowsOf('agent with every role', [
    [
      'raises its own ceiling by merge patch',
      mergePatch(agent('analyst'), { spec: { capabilities: [ROOT] } }),
      NO_IDENTITIES,
    ],
    [
      'raises its own ceiling by JSON patch',
      jsonPatch(agent('analyst'), { op: 'add', path: '/spec/capabilities/-', value: ROOT }),
      NO_IDENTITIES,
    ],
    [
      'raises its own ceiling by update',
      update(agent('analyst'), { spec: { capabilities: [ROOT] } }),
      NO_IDENTITIES,
    ],
    [
      'raises its own ceiling by server-side apply',
      apply(identity('analyst', { capabilities: [ROOT] })),
      NO_IDENTITIES,
    ],
    [
      'lowers the ceiling of another agent',
      mergePatch(agent('deployer'), { spec: { capabilities: [GET] } }),
      NO_IDENTITIES,
    ],
    ['opens itself', mergePatch(agent('analyst'), { spec: { enforcement: 'DryRun' } }), NO_IDENTITIES],
    [
      'consents to delegations',
      mergePatch(agent('analyst'), { spec: { acceptFrom: [{ namespace: DATA }] } }),
      NO_IDENTITIES,
    ],
    [
      'lets callers in',
      mergePatch(agent('analyst'), {
        spec: { callers: [{ serviceAccounts: ['x/y'], ports: [8443], paths: ['/v1/delegate'] }] },
      }),
      NO_IDENTITIES,
    ],
    [
      'creates an AgentIdentity on another ServiceAccount',
      create(identity('attack', { serviceAccountName: 'helper' })),
      NO_IDENTITIES,
    ],
    [
      'creates an AgentIdentity in another governed namespace',
      create(identity('attack', { serviceAccountName: 'helper' }, DATA)),
      policy(
        'leash-kinds',
        'ServiceAccounts of namespaces with agents write no agentidentities.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-data',
      ),
    ],
    ['deletes another agent', remove(agent('deployer')), NO_IDENTITIES],
    ['suspends another agent', mergePatch(agent('deployer'), { spec: { suspended: true } }), NO_IDENTITIES],
    [
      'lifts the suspension of an agent',
      mergePatch(agent('frozen'), { spec: { suspended: false } }),
      NO_IDENTITIES,
    ],
    ['deletes a suspended agent', remove(agent('frozen')), NO_IDENTITIES],
    [
      'puts a label on its AgentIdentity',
      mergePatch(agent('analyst'), { metadata: { labels: { x: 'y' } } }),
      NO_IDENTITIES,
    ],
    [
      'puts a finalizer on its AgentIdentity',
      mergePatch(agent('analyst'), { metadata: { finalizers: ['example.org/hold'] } }),
      NO_IDENTITIES,
    ],
    [
      'writes its own status',
      mergePatch({ ...agent('analyst'), subresource: 'status' }, { status: {} }),
      rbac,
    ],
    ['creates a DelegationPolicy', create(delegation('attack')), NO_POLICIES],
    [
      'creates a DelegationPolicy with a name that the server makes',
      create({ ...delegation('x'), metadata: { generateName: 'attack-', namespace: AGENTS } }),
      NO_POLICIES,
    ],
    [
      'widens a DelegationPolicy',
      mergePatch(at('DelegationPolicy', 'plan', AGENTS), { spec: { maxDepth: 8 } }),
      NO_POLICIES,
    ],
    ['deletes a DelegationPolicy', remove(at('DelegationPolicy', 'plan', AGENTS)), NO_POLICIES],
    [
      'creates a DelegationPolicy in another governed namespace',
      create(delegation('attack', {}, DATA)),
      policy(
        'leash-kinds',
        'ServiceAccounts of namespaces with agents write no delegationpolicies.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-data',
      ),
    ],
    ['quarantines another agent', create(quarantine('attack', 'deployer')), NO_QUARANTINES],
    ['lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), NO_QUARANTINES],
    [
      'deletes a TokenRevocation',
      remove(at('TokenRevocation', 'leak', AGENTS)),
      policy(
        'leash-kinds',
        'ServiceAccounts of namespaces with agents write no tokenrevocations.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
      ),
    ],
    [
      'creates a CapabilityBoundary',
      create({ kind: 'CapabilityBoundary', metadata: { name: 'attack' }, spec: { namespaceSelector: {} } }),
      rbac,
    ],
    [
      'edits the Secret of another agent',
      mergePatch(at('Secret', 'planner-tls', AGENTS), { data: { 'ca.crt': '' } }),
      files,
      leash,
    ],
    ['deletes the Secret of another agent', remove(at('Secret', 'planner-tls', AGENTS)), files, leash],
    [
      'marks its own Secret as ours',
      create(secret('attack', AGENTS, { metadata: { name: 'attack', namespace: AGENTS, ...MANAGED } })),
      policy(
        'managed-secrets',
        'metadata.labels: agenttrust.dev/managed marks what agent-trust keeps. Leave the label out',
      ),
      leash,
    ],
    [
      'edits the trust bundle',
      mergePatch(at('ConfigMap', 'agent-trust-bundle', AGENTS), { data: { 'ca.crt': 'attack' } }),
      kept('configmaps', 'ConfigMap', 'agent-trust-bundle'),
      leash,
    ],
    [
      'creates a trust bundle',
      create(configMap('agent-trust-bundle')),
      policy(
        'managed-configmaps',
        'metadata.name: ConfigMap agent-trust-bundle holds the trust of every namespace with agents and is kept by agent-trust. Use another name',
      ),
    ],
    [
      'deletes its own wall',
      remove(wallOf('analyst')),
      kept('networkpolicies', 'NetworkPolicy', wallOf('analyst').name ?? ''),
      leash,
    ],
    [
      'opens its own wall',
      mergePatch(wallOf('analyst'), { spec: { ingress: [{}] } }),
      kept('networkpolicies', 'NetworkPolicy', wallOf('analyst').name ?? ''),
      leash,
    ],
    [
      'deletes the wall of a deleted agent',
      remove(wallOf('ghost')),
      policy(
        'managed-networkpolicies',
        `NetworkPolicy ${AGENTS}/${wallOf('ghost').name} closes the last pods of a deleted agent and goes with them. Deleting it now needs the verb ungovern on agentidentities.agenttrust.dev/ghost in namespace ${AGENTS}`,
      ),
      leash,
    ],
    [
      'creates a pod with the label of another agent',
      create(pod('attack', { serviceAccountName: 'default' }, { labels: { [LABEL]: 'planner' } })),
      invalid(
        'pod-label',
        'metadata.labels: agenttrust.dev/identity is planner, and the pod runs as ServiceAccount default. Leave the label out: pods of agents get it by themselves',
      ),
    ],
    [
      'puts its own label on another pod',
      mergePatch(at('Pod', 'plain', AGENTS), { metadata: { labels: { [LABEL]: 'analyst' } } }),
      invalid(
        'pod-label',
        'metadata.labels: agenttrust.dev/identity is analyst, and the pod runs as ServiceAccount default. Leave the label out: pods of agents get it by themselves',
      ),
    ],
    [
      'takes the label off the pod of another agent',
      jsonPatch(at('Pod', 'planner-0', AGENTS), {
        op: 'remove',
        path: '/metadata/labels/agenttrust.dev~1identity',
      }),
      invalid(
        'pod-label',
        'metadata.labels: agenttrust.dev/identity stays on the pod of an agent as long as it lives. Delete the pod instead',
      ),
    ],
    ['reads the Secret of an agent of another namespace', read(at('Secret', 'librarian-tls', DATA)), rbac],
    [
      'gives itself the verb administer',
      create({
        kind: 'RoleBinding',
        metadata: { name: 'attack', namespace: AGENTS },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'administer-agents' },
        subjects: [{ kind: 'ServiceAccount', namespace: AGENTS, name: 'analyst' }],
      }),
      rbac,
    ],
  ]),
];
