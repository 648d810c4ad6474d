/** What whoever stole the token of the controller cannot write with the rights that it has, with every process of ours down. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  create,
  jsonPatch,
  type Request,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, policy, type Row, rbac } from './row.ts';
import { AGENTS } from './users.ts';
import { accountToken, at, configMap, MANAGED, named, secret, wallOf } from './world.ts';

const OTHER_SORT: Expected = policy(
  'fence-secrets',
  'the controller of agent-trust writes Secrets of type kubernetes.io/tls and agenttrust.dev/signing-key with the label agenttrust.dev/managed, and no others',
);
const NO_TOKENS: Expected = policy(
  'fence-secrets',
  'the controller of agent-trust writes no Secret with the token of a ServiceAccount',
);
const OTHER_PLACE: Expected = policy(
  'fence-secrets',
  'the controller of agent-trust writes Secrets where agents live, and agent-trust-ca in its own namespace, and no others',
);
const NOT_OURS: Expected = policy(
  'fence-secrets',
  'the controller of agent-trust writes and deletes no Secret of somebody else',
);
const OTHER_CONFIGMAP: Expected = policy(
  'fence-configmaps',
  'the controller of agent-trust writes ConfigMap agent-trust-bundle where agents live, and its own state in its own namespace, and no others',
);
const OTHER_NAME: Expected = policy(
  'fence-networkpolicies',
  'the controller of agent-trust writes policies of its own names where agents live, and no others',
);
const ALL_PODS: Expected = policy(
  'fence-istio',
  'the controller of agent-trust writes policies with the label agenttrust.dev/managed that select the pods of one agent, and no others',
);

const user = 'controller';
const foreign = at('Secret', 'foreign', AGENTS);

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

const labelled = (name: string, namespace = AGENTS): { readonly metadata: object } => ({
  metadata: { name, namespace, ...MANAGED },
});
const everybody = { podSelector: {}, ingress: [{}], policyTypes: ['Ingress'] };

/** See the file. */
export const CONTROLLER_WRITE_ATTACKS: readonly Row[] = [
  attack(
    'creates a Lease of another name',
    create({ kind: 'Lease', metadata: { name: 'attack', namespace: OPERATOR_NAMESPACE }, spec: {} }),
    policy(
      'fence-leases',
      'the controller of agent-trust holds the Lease agent-trust-controller of its own namespace, and no other',
    ),
  ),
  attack(
    'creates a Secret with the token of an agent',
    create(accountToken('attack-1', 'planner')),
    NO_TOKENS,
  ),
  attack(
    'creates a Secret with the token of an agent and the label of ours',
    create({
      ...accountToken('attack-2', 'planner'),
      metadata: {
        name: 'attack-2',
        namespace: AGENTS,
        ...MANAGED,
        annotations: { 'kubernetes.io/service-account.name': 'planner' },
      },
    }),
    NO_TOKENS,
  ),
  attack(
    'creates a Secret with the token of the webhook',
    create(accountToken('attack', 'agent-trust-webhook', OPERATOR_NAMESPACE)),
    OTHER_PLACE,
  ),
  attack(
    'creates a Secret without the label of ours',
    create(secret('attack-3', AGENTS, { data: { x: 'eA==' } })),
    OTHER_SORT,
  ),
  attack(
    'creates a Secret of another type with the label of ours',
    create(secret('attack-4', AGENTS, { ...labelled('attack-4'), data: { x: 'eA==' } })),
    OTHER_SORT,
  ),
  attack(
    'creates a Secret of another name in its own namespace',
    create(secret('attack', OPERATOR_NAMESPACE, labelled('attack', OPERATOR_NAMESPACE))),
    OTHER_PLACE,
  ),
  attack('overwrites the Secret of somebody else', update(foreign, { data: { x: 'eA==' } }), OTHER_SORT),
  attack('marks the Secret of somebody else as its own', update(foreign, { metadata: MANAGED }), NOT_OURS),
  attack('deletes the Secret of somebody else', remove(foreign), NOT_OURS),
  attack('deletes all Secrets of a namespace', remove({ kind: 'Secret', namespace: AGENTS }), rbac),
  attack(
    'applies the Secret of somebody else',
    apply(secret('foreign', AGENTS, { data: { x: 'eA==' } })),
    rbac,
  ),
  attack(
    'creates a ConfigMap of another name',
    create(configMap('attack', AGENTS, labelled('attack'))),
    OTHER_CONFIGMAP,
  ),
  attack(
    'creates a ConfigMap of another name in its own namespace',
    create(configMap('attack', OPERATOR_NAMESPACE, labelled('attack', OPERATOR_NAMESPACE))),
    OTHER_CONFIGMAP,
  ),
  attack(
    'overwrites the ConfigMap of somebody else',
    update(at('ConfigMap', 'settings', AGENTS), { data: { x: 'y' } }),
    rbac,
  ),
  attack(
    'creates a NetworkPolicy of another name',
    create({
      kind: 'NetworkPolicy',
      metadata: { name: 'attack', namespace: AGENTS, ...MANAGED },
      spec: everybody,
    }),
    OTHER_NAME,
  ),
  attack(
    'creates a NetworkPolicy for all pods under a name of ours',
    create({
      kind: 'NetworkPolicy',
      metadata: { name: 'at-net-attack', namespace: AGENTS, ...MANAGED },
      spec: everybody,
    }),
    policy(
      'fence-networkpolicies',
      'the controller of agent-trust writes policies with the label agenttrust.dev/managed that select the pods of one agent, and no others',
    ),
  ),
  attack(
    'deletes the NetworkPolicy of somebody else',
    remove(at('NetworkPolicy', 'team', AGENTS)),
    OTHER_NAME,
  ),
  attack(
    'opens all pods to everybody (AuthorizationPolicy)',
    create({
      kind: 'AuthorizationPolicy',
      metadata: { name: 'at-allow-attack', namespace: AGENTS, ...MANAGED },
      spec: { rules: [{}] },
    }),
    ALL_PODS,
  ),
  attack(
    'switches mutual TLS off in a namespace (PeerAuthentication)',
    create({
      kind: 'PeerAuthentication',
      metadata: { name: 'at-mtls-attack', namespace: AGENTS, ...MANAGED },
      spec: { mtls: { mode: 'DISABLE' } },
    }),
    ALL_PODS,
  ),
  attack(
    'opens the whole mesh',
    create({
      kind: 'AuthorizationPolicy',
      metadata: { name: 'at-allow-attack', namespace: 'kube-system' },
      spec: { rules: [{}] },
    }),
    rbac,
  ),
  attack(
    'patches the wall of an agent',
    jsonPatch(wallOf('planner'), { op: 'remove', path: '/spec/ingress' }),
    rbac,
  ),
  attack('applies the wall of an agent', apply({ ...named(wallOf('planner')), spec: everybody }), rbac),
];
