/** What the editor of a namespace cannot do to what the operator keeps there, and to pods, with every process of ours down. */

import {
  apply,
  call,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, invalid, policy, type Row, rbac } from './row.ts';
import { AGENTS } from './users.ts';
import { at, configMap, MANAGED, named, pod, secret, wallOf } from './world.ts';

const KEPT_SECRET: Expected = policy(
  'managed-secrets',
  'Secret ai-agents/planner-tls is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
);
const KEPT_WALL: Expected = policy(
  'managed-networkpolicies',
  'NetworkPolicy ai-agents/at-net-planner-af8a63f4 is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
);
const MARK: Expected = policy(
  'managed-secrets',
  'metadata.labels: agenttrust.dev/managed marks what agent-trust keeps. Leave the label out',
);
const KEPT_BUNDLE: Expected = policy(
  'managed-configmaps',
  'ConfigMap ai-agents/agent-trust-bundle is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
);
const NOT_PLANNER: Expected = invalid(
  'pod-label',
  'metadata.labels: agenttrust.dev/identity is planner, and the pod runs as ServiceAccount default. Leave the label out: pods of agents get it by themselves',
);
const TOMBSTONE: Expected = policy(
  'managed-networkpolicies',
  'NetworkPolicy ai-agents/at-net-ghost-1056de5e closes the last pods of a deleted agent and goes with them. Deleting it now needs the verb ungovern on agentidentities.agenttrust.dev/ghost in namespace ai-agents',
);
const user = 'namespace editor';
const files = at('Secret', 'planner-tls', AGENTS);
const bundle = at('ConfigMap', 'agent-trust-bundle', AGENTS);
const wall = wallOf('planner');
const LABEL = 'agenttrust.dev/identity';

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

const KEPT: readonly Row[] = [
  attack('edits the Secret of an agent', mergePatch(files, { data: { 'ca.crt': '' } }), KEPT_SECRET),
  attack(
    'replaces the Secret of an agent',
    update(files, { data: { 'tls.crt': '', 'tls.key': '' } }),
    KEPT_SECRET,
  ),
  attack(
    'applies the Secret of an agent',
    apply(secret('planner-tls', AGENTS, { data: { more: '' } })),
    KEPT_SECRET,
  ),
  attack('deletes the Secret of an agent', remove(files), KEPT_SECRET),
  attack(
    'deletes the Secret of an agent in a collection',
    remove({ kind: 'Secret', namespace: AGENTS }, { fieldSelector: 'metadata.name=planner-tls' }),
    KEPT_SECRET,
  ),
  attack(
    'takes the label off the Secret of an agent',
    jsonPatch(files, { op: 'remove', path: '/metadata/labels' }),
    KEPT_SECRET,
  ),
  attack(
    'has the Secret of an agent collected as garbage',
    mergePatch(files, {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'gone', uid: 'gone' }] },
    }),
    KEPT_SECRET,
  ),
  attack(
    'puts a finalizer on the Secret of an agent',
    mergePatch(files, { metadata: { finalizers: ['example.org/hold'] } }),
    KEPT_SECRET,
  ),
  attack('makes the Secret of an agent immutable', mergePatch(files, { immutable: true }), KEPT_SECRET),
  attack(
    'gives the Secret of an agent another owner by annotation',
    mergePatch(files, { metadata: { annotations: { 'agenttrust.dev/owner-uid': 'attack' } } }),
    KEPT_SECRET,
  ),
  attack(
    'creates a Secret with the label of ours',
    create(secret('attack-1', AGENTS, { metadata: { name: 'attack-1', namespace: AGENTS, ...MANAGED } })),
    MARK,
  ),
  attack(
    'creates a Secret with the label of ours and a name that the server makes',
    create({ kind: 'Secret', metadata: { generateName: 'attack-', namespace: AGENTS, ...MANAGED } }),
    MARK,
  ),
  attack(
    'puts the label of ours on a Secret',
    mergePatch(at('Secret', 'foreign', AGENTS), { metadata: MANAGED }),
    MARK,
  ),
  attack(
    'adds a root to the trust bundle',
    mergePatch(bundle, { data: { 'ca.crt': 'attack' } }),
    KEPT_BUNDLE,
  ),
  attack(
    'adds binary data to the trust bundle',
    mergePatch(bundle, { binaryData: { x: 'eA==' } }),
    KEPT_BUNDLE,
  ),
  attack('deletes the trust bundle', remove(bundle), KEPT_BUNDLE),
  attack(
    'creates a trust bundle',
    create(configMap('agent-trust-bundle')),
    policy(
      'managed-configmaps',
      'metadata.name: ConfigMap agent-trust-bundle holds the trust of every namespace with agents and is kept by agent-trust. Use another name',
    ),
  ),
  attack('deletes the wall of an agent', remove(wall), KEPT_WALL),
  attack('opens the wall of an agent', mergePatch(wall, { spec: { ingress: [{}] } }), KEPT_WALL),
  attack(
    'lets the wall of an agent select other pods',
    jsonPatch(wall, { op: 'replace', path: '/spec/podSelector', value: { matchLabels: { none: 'such' } } }),
    KEPT_WALL,
  ),
  attack(
    'applies the wall of an agent',
    apply({ ...named(wall), spec: { podSelector: {}, ingress: [{}] } }),
    KEPT_WALL,
  ),
  attack(
    'takes the label off the wall of an agent',
    mergePatch(wall, { metadata: { labels: { 'agenttrust.dev/managed': null } } }),
    KEPT_WALL,
  ),
  attack(
    'deletes the wall of an agent in a collection',
    remove({ kind: 'NetworkPolicy', namespace: AGENTS }, { labelSelector: 'agenttrust.dev/agent=planner' }),
    KEPT_WALL,
  ),
  attack('deletes the wall of a deleted agent', remove(wallOf('ghost')), TOMBSTONE),
  attack(
    'takes the mark of a tombstone off',
    mergePatch(wallOf('ghost'), { metadata: { labels: { 'agenttrust.dev/tombstone': null } } }),
    TOMBSTONE,
  ),
  attack(
    'creates a NetworkPolicy with the label of ours',
    create({
      kind: 'NetworkPolicy',
      metadata: { name: 'attack', namespace: AGENTS, ...MANAGED },
      spec: { podSelector: {} },
    }),
    policy(
      'managed-networkpolicies',
      'metadata.labels: agenttrust.dev/managed marks what agent-trust keeps. Leave the label out',
    ),
  ),
  attack(
    'opens the wall of an agent in the mesh',
    mergePatch(wallOf('planner', 'allow'), { spec: { rules: [{}] } }),
    rbac,
  ),
];

const PODS: readonly Row[] = [
  attack(
    'creates a pod with the label of an agent that it is not',
    create(pod('attack-1', { serviceAccountName: 'default' }, { labels: { [LABEL]: 'planner' } })),
    NOT_PLANNER,
  ),
  attack(
    'creates a pod with the label of an agent and no ServiceAccount',
    create(pod('attack-2', {}, { labels: { [LABEL]: 'planner' } })),
    NOT_PLANNER,
  ),
  attack(
    'creates a labelled pod on the network of the node',
    create(
      pod(
        'attack-3',
        { serviceAccountName: 'default', hostNetwork: true },
        { labels: { [LABEL]: 'default' } },
      ),
    ),
    invalid(
      'pod-walls',
      'spec.hostNetwork: the pod of an agent needs a network of its own, since no policy reaches pods on the network of the node. Leave hostNetwork out',
    ),
  ),
  attack(
    'creates a labelled pod that stays out of the mesh',
    create(
      pod(
        'attack-4',
        { serviceAccountName: 'default' },
        { labels: { [LABEL]: 'default', 'sidecar.istio.io/inject': 'false' } },
      ),
    ),
    invalid(
      'pod-walls',
      'metadata.labels: sidecar.istio.io/inject is "false", with which the mesh does not guard this pod of an agent. Leave it out',
    ),
  ),
  attack(
    'takes the label off the pod of an agent',
    jsonPatch(at('Pod', 'planner-0', AGENTS), {
      op: 'remove',
      path: '/metadata/labels/agenttrust.dev~1identity',
    }),
    invalid(
      'pod-label',
      'metadata.labels: agenttrust.dev/identity stays on the pod of an agent as long as it lives. Delete the pod instead',
    ),
  ),
  attack(
    'puts the label of another agent on the pod of an agent',
    mergePatch(at('Pod', 'planner-0', AGENTS), { metadata: { labels: { [LABEL]: 'deployer' } } }),
    invalid(
      'pod-label',
      'metadata.labels: agenttrust.dev/identity is deployer, and the pod runs as ServiceAccount planner. Leave the label out: pods of agents get it by themselves',
    ),
  ),
  attack(
    'puts the label of an agent on another pod',
    mergePatch(at('Pod', 'plain', AGENTS), { metadata: { labels: { [LABEL]: 'planner' } } }),
    NOT_PLANNER,
  ),
  attack(
    'takes ports of the pod of an agent past the mesh',
    mergePatch(at('Pod', 'planner-0', AGENTS), {
      metadata: { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8443' } },
    }),
    invalid(
      'pod-walls',
      'metadata.annotations: traffic.sidecar.istio.io/excludeInboundPorts is "8443", with which the mesh does not guard this pod of an agent. Leave it out',
    ),
  ),
  attack(
    'labels the pod of an agent through its status',
    mergePatch(
      { ...at('Pod', 'planner-0', AGENTS), subresource: 'status' },
      { metadata: { labels: { [LABEL]: 'deployer' } } },
    ),
    rbac,
  ),
  attack(
    'labels a pod through its binding',
    call(
      { ...at('Pod', 'plain', AGENTS), subresource: 'binding' },
      {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'plain', labels: { [LABEL]: 'planner' } },
        target: { kind: 'Node', name: 'node-1' },
      },
    ),
    rbac,
  ),
];

/** See the file. */
export const EDITOR_KEPT_ATTACKS: readonly Row[] = [...KEPT, ...PODS];
