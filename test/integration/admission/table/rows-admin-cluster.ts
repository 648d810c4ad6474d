/** Rows of the cluster admin about what the operator keeps, about pods, and about the way out when all is broken. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  read,
  remove,
} from '../../../support/admission/request.ts';
import { allowed, type Expected, invalid, policy, type Row, unanswered, webhook } from './row.ts';
import { AGENTS, ELSEWHERE } from './users.ts';
import { at, configMap, MANAGED, named, pod, secret, wallOf } from './world.ts';

const KEPT_SECRET: Expected = policy(
  'managed-secrets',
  'Secret ai-agents/planner-tls is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
);
const KEPT_BUNDLE: Expected = policy(
  'managed-configmaps',
  'ConfigMap ai-agents/agent-trust-bundle is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
);
const user = 'cluster admin';
const LABEL = 'agenttrust.dev/identity';
const DRY = { dryRun: true } as const;

function of(does: string, request: Request, answer: Expected, more: Partial<Row> = {}): Row {
  return { user, does, request, answer, ...more };
}

const KEPT: readonly Row[] = [
  of('reads the Secret of an agent', read(at('Secret', 'planner-tls', AGENTS)), allowed()),
  of(
    'edits the Secret of an agent',
    mergePatch(at('Secret', 'planner-tls', AGENTS), { data: { 'tls.crt': '' } }),
    KEPT_SECRET,
  ),
  of(
    'takes the label off the Secret of an agent',
    mergePatch(at('Secret', 'planner-tls', AGENTS), {
      metadata: { labels: { 'agenttrust.dev/managed': null } },
    }),
    KEPT_SECRET,
  ),
  of('deletes the Secret of an agent', remove(at('Secret', 'planner-tls', AGENTS)), KEPT_SECRET),
  of(
    'creates a Secret with the label of what the operator keeps',
    create(
      secret('adm-managed', AGENTS, { metadata: { name: 'adm-managed', namespace: AGENTS, ...MANAGED } }),
    ),
    policy(
      'managed-secrets',
      'metadata.labels: agenttrust.dev/managed marks what agent-trust keeps. Leave the label out',
    ),
  ),
  of('creates a Secret of its own', create(secret('adm-secret')), allowed()),
  of(
    'edits the trust bundle',
    mergePatch(at('ConfigMap', 'agent-trust-bundle', AGENTS), { data: { 'ca.crt': 'mine' } }),
    KEPT_BUNDLE,
  ),
  of('deletes the trust bundle', remove(at('ConfigMap', 'agent-trust-bundle', AGENTS)), KEPT_BUNDLE),
  of(
    'creates a ConfigMap under the name of the trust bundle',
    create(configMap('agent-trust-bundle')),
    policy(
      'managed-configmaps',
      'metadata.name: ConfigMap agent-trust-bundle holds the trust of every namespace with agents and is kept by agent-trust. Use another name',
    ),
  ),
  of(
    'deletes the wall of an agent (NetworkPolicy)',
    remove(wallOf('planner', 'net')),
    policy(
      'managed-networkpolicies',
      'NetworkPolicy ai-agents/at-net-planner-af8a63f4 is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ),
  of(
    'opens the wall of an agent (AuthorizationPolicy) by apply',
    apply({ ...named(wallOf('planner', 'allow')), spec: { rules: [{}] } }),
    policy(
      'managed-istio',
      'AuthorizationPolicy ai-agents/at-allow-planner-8c3dbd1c is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ),
  of(
    'switches mutual TLS off in the wall of an agent (PeerAuthentication)',
    mergePatch(wallOf('planner', 'mtls'), { spec: { mtls: { mode: 'DISABLE' } } }),
    policy(
      'managed-istio',
      'PeerAuthentication ai-agents/at-mtls-planner-d63f58be is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ),
  of('takes the wall of a deleted agent away', remove(wallOf('ghost', 'net')), allowed(), DRY),
  of(
    'takes the mark of a tombstone off',
    mergePatch(wallOf('ghost', 'net'), { metadata: { labels: { 'agenttrust.dev/tombstone': null } } }),
    policy(
      'managed-networkpolicies',
      'NetworkPolicy ai-agents/at-net-ghost-1056de5e closes the last pods of a deleted agent and goes with them. Deleting it now needs the verb ungovern on agentidentities.agenttrust.dev/ghost in namespace ai-agents',
    ),
  ),
  of(
    'deletes the keys of the authority',
    remove(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)),
    policy(
      'managed-secrets',
      'Secret agent-trust-system/agent-trust-ca is the state of agent-trust itself. To restore it from a backup, delete ValidatingAdmissionPolicyBinding agent-trust-managed-secrets first; helm upgrade puts that back',
    ),
  ),
  of(
    'edits the issuance ledger',
    mergePatch(at('ConfigMap', 'agent-trust-ledger-1', OPERATOR_NAMESPACE), { data: { ledger: '' } }),
    policy(
      'managed-configmaps',
      'ConfigMap agent-trust-system/agent-trust-ledger-1 is the state of agent-trust itself. To restore it from a backup, delete ValidatingAdmissionPolicyBinding agent-trust-managed-configmaps first; helm upgrade puts that back',
    ),
  ),
  of(
    'deletes the certificate of the webhook',
    remove(at('Secret', 'agent-trust-webhook-tls', OPERATOR_NAMESPACE)),
    policy(
      'managed-secrets',
      'Secret agent-trust-system/agent-trust-webhook-tls is the state of agent-trust itself. To restore it from a backup, delete ValidatingAdmissionPolicyBinding agent-trust-managed-secrets first; helm upgrade puts that back',
    ),
  ),
];

const down = { whileDown: unanswered('pods') };
const asPlanner = { serviceAccountName: 'planner' };

const PODS: readonly Row[] = [
  of('creates a pod of an agent', create(pod('adm-pod', asPlanner)), allowed(), down),
  of(
    'creates a pod of a suspended agent',
    create(pod('adm-frozen', { serviceAccountName: 'frozen' })),
    allowed(
      'agent ai-agents/frozen is suspended: this pod waits for Secret frozen-tls and starts by itself once that is lifted',
    ),
    down,
  ),
  of(
    'creates a pod that is no agent',
    create(pod('adm-plain', { serviceAccountName: 'default' })),
    allowed(),
  ),
  of(
    'creates a pod with a ServiceAccount that is no agent',
    create(pod('adm-helper', { serviceAccountName: 'helper' })),
    allowed(),
    down,
  ),
  of(
    'creates a pod with the label of an agent that it is not',
    create(pod('adm-wrong', { serviceAccountName: 'default' }, { labels: { [LABEL]: 'planner' } })),
    invalid(
      'pod-label',
      'metadata.labels: agenttrust.dev/identity is planner, and the pod runs as ServiceAccount default. Leave the label out: pods of agents get it by themselves',
    ),
  ),
  of(
    'creates a pod of an agent with the label of another',
    create(pod('adm-other', asPlanner, { labels: { [LABEL]: 'deployer' } })),
    webhook(
      'pods',
      'this pod runs as agent ai-agents/planner and cannot get its files',
      '  metadata.labels[agenttrust.dev/identity] is "deployer", and the pod runs as ServiceAccount planner. Take it out: the right one is put there by itself.',
    ),
    down,
  ),
  of(
    'creates a pod of an agent on the network of the node',
    create(pod('adm-host', { ...asPlanner, hostNetwork: true })),
    webhook(
      'pods',
      'this pod runs as agent ai-agents/planner and cannot get its files',
      '  spec.hostNetwork is true, and no wall around an agent reaches the network of a node. Take it out, or run the pod as a ServiceAccount that is no agent.',
    ),
    down,
  ),
  of(
    'creates a pod of an agent that stays out of the mesh',
    create(pod('adm-out', asPlanner, { labels: { 'sidecar.istio.io/inject': 'false' } })),
    invalid(
      'pod-walls',
      'metadata.labels: sidecar.istio.io/inject is "false", with which the mesh does not guard this pod of an agent. Leave it out',
    ),
    down,
  ),
  of(
    'creates a pod of an agent with ports that pass the mesh by',
    create(
      pod('adm-ports', asPlanner, {
        annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8443' },
      }),
    ),
    invalid(
      'pod-walls',
      'metadata.annotations: traffic.sidecar.istio.io/excludeInboundPorts is "8443", with which the mesh does not guard this pod of an agent. Leave it out',
    ),
    down,
  ),
  of(
    'creates a pod of an agent with a volume of its own where the files go',
    create(
      pod('adm-mount', {
        ...asPlanner,
        volumes: [{ name: 'mine', emptyDir: {} }],
        containers: [
          {
            name: 'agent',
            image: 'example.org/none',
            volumeMounts: [{ name: 'mine', mountPath: '/var/run/agent-trust' }],
          },
        ],
      }),
    ),
    webhook(
      'pods',
      'this pod runs as agent ai-agents/planner and cannot get its files',
      '  spec.containers[0].volumeMounts[0] (container agent) is at /var/run/agent-trust, where the files of the agent go. Take it out if it holds them, since they are mounted by themselves (tls/tls.crt, tls/tls.key, signing/signing.key, bundle/ca.crt); else mount it somewhere else.',
    ),
    down,
  ),
  of(
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
  of(
    'puts the label of another agent on a pod',
    mergePatch(at('Pod', 'planner-0', AGENTS), { metadata: { labels: { [LABEL]: 'deployer' } } }),
    invalid(
      'pod-label',
      'metadata.labels: agenttrust.dev/identity is deployer, and the pod runs as ServiceAccount planner. Leave the label out: pods of agents get it by themselves',
    ),
  ),
  of(
    'puts another label on the pod of an agent',
    mergePatch(at('Pod', 'planner-0', AGENTS), { metadata: { labels: { team: 'red' } } }),
    allowed(),
    DRY,
  ),
  of('deletes the pod of an agent', remove(at('Pod', 'planner-0', AGENTS)), allowed(), DRY),
  of(
    'creates a pod in a namespace that is not governed',
    create(pod('adm-elsewhere', { serviceAccountName: 'worker' }, {}, ELSEWHERE)),
    allowed(),
  ),
  of(
    'creates a pod in kube-system',
    create(pod('adm-system', { serviceAccountName: 'coredns' }, {}, 'kube-system')),
    allowed(),
  ),
  of(
    'creates a pod of the webhook',
    create(pod('adm-webhook', { serviceAccountName: 'agent-trust-webhook' }, {}, OPERATOR_NAMESPACE)),
    allowed(),
  ),
];

const REPAIR: readonly Row[] = [
  of(
    'deletes the webhook configuration',
    remove(at('ValidatingWebhookConfiguration', 'agent-trust')),
    allowed(),
    DRY,
  ),
  of(
    'deletes the webhook configuration for pods',
    remove(at('MutatingWebhookConfiguration', 'agent-trust')),
    allowed(),
    DRY,
  ),
  of(
    'deletes the binding of an admission policy',
    remove(at('ValidatingAdmissionPolicyBinding', 'agent-trust-managed-secrets')),
    allowed(),
    DRY,
  ),
  of('deletes a namespace with agents', remove(at('Namespace', AGENTS)), allowed(), DRY),
];

/** See the file. */
export const ADMIN_CLUSTER_ROWS: readonly Row[] = [...KEPT, ...PODS, ...REPAIR];
