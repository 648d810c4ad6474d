/** Rows of the people around agents: the editor of their namespace, security, responders. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import { call, create, mergePatch, type Request, read, remove } from '../../../support/admission/request.ts';
import { allowed, type Expected, policy, type Row, rbac, unanswered } from './row.ts';
import { AGENTS, type UserName } from './users.ts';
import { at, delegation, GET, identity, pod, quarantine, REPORTS, secret, wallOf } from './world.ts';

function rowsOf(
  user: UserName,
  rows: readonly (readonly [string, Request, Expected, Partial<Row>?])[],
): readonly Row[] {
  return rows.map(([does, request, answer, more]) => ({ user, does, request, answer, ...more }));
}

const agent = (name: string): ReturnType<typeof at> => at('AgentIdentity', name, AGENTS);
const revocation = (name: string) => ({
  kind: 'TokenRevocation',
  metadata: { name, namespace: AGENTS },
  spec: { agent: 'nobody' },
});

/** See the file. */
export const EDITOR_ROWS: readonly Row[] = rowsOf('namespace editor', [
  ['reads an AgentIdentity', read(agent('planner')), allowed()],
  ['creates an AgentIdentity', create(identity('ed-new')), rbac],
  ['suspends an agent', mergePatch(agent('planner'), { spec: { suspended: true } }), rbac],
  ['deletes an AgentIdentity', remove(agent('planner')), rbac],
  ['creates a DelegationPolicy', create(delegation('ed-new')), rbac],
  ['creates a Quarantine', create(quarantine('ed-new', 'planner')), rbac],
  [
    'reads the Secret of an agent (the namespace is the trust boundary)',
    read(at('Secret', 'planner-tls', AGENTS)),
    allowed(),
  ],
  [
    'asks for a token of the ServiceAccount of an agent (the same)',
    call(
      { ...at('ServiceAccount', 'planner', AGENTS), subresource: 'token' },
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    ),
    allowed(),
  ],
  [
    'creates a pod of an agent (the same)',
    create(pod('ed-planner', { serviceAccountName: 'planner' })),
    allowed(),
    { whileDown: unanswered('pods') },
  ],
  ['creates a pod that is no agent', create(pod('ed-plain', { serviceAccountName: 'default' })), allowed()],
  ['creates a Secret of its own', create(secret('ed-secret')), allowed()],
  [
    'edits the Secret of an agent',
    mergePatch(at('Secret', 'planner-tls', AGENTS), { data: { 'ca.crt': '' } }),
    policy(
      'managed-secrets',
      'Secret ai-agents/planner-tls is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ],
  [
    'deletes the trust bundle',
    remove(at('ConfigMap', 'agent-trust-bundle', AGENTS)),
    policy(
      'managed-configmaps',
      'ConfigMap ai-agents/agent-trust-bundle is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ],
  [
    'deletes the wall of an agent',
    remove(wallOf('planner')),
    policy(
      'managed-networkpolicies',
      'NetworkPolicy ai-agents/at-net-planner-af8a63f4 is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from',
    ),
  ],
]);

/** See the file. */
export const SECURITY_ROWS: readonly Row[] = rowsOf('security', [
  ['creates a Quarantine', create(quarantine('se-new', 'nobody')), allowed()],
  [
    'lifts a Quarantine',
    remove(at('Quarantine', 'se-lift', AGENTS)),
    allowed(),
    { given: [quarantine('se-lift', 'nobody')] },
  ],
  [
    'lifts a Quarantine of the namespace of the operator',
    remove(at('Quarantine', 'se-afar', OPERATOR_NAMESPACE)),
    allowed(),
    { given: [quarantine('se-afar', `${AGENTS}/nobody`, OPERATOR_NAMESPACE)] },
  ],
  ['creates a TokenRevocation', create(revocation('se-new')), allowed()],
  [
    'deletes a TokenRevocation',
    remove(at('TokenRevocation', 'se-end', AGENTS)),
    allowed(),
    { given: [revocation('se-end')] },
  ],
  [
    'creates a CapabilityBoundary',
    create({
      kind: 'CapabilityBoundary',
      metadata: { name: 'se-new' },
      spec: { namespaceSelector: { matchLabels: { none: 'such' } }, capabilities: [GET] },
    }),
    allowed('spec.namespaceSelector selects no namespace that there is: it binds nobody yet'),
    { whileDown: unanswered('boundaries') },
  ],
  [
    'deletes a CapabilityBoundary',
    remove(at('CapabilityBoundary', 'se-delete')),
    allowed(),
    {
      given: [
        {
          kind: 'CapabilityBoundary',
          metadata: { name: 'se-delete' },
          spec: { namespaceSelector: { matchLabels: { none: 'such' } } },
        },
      ],
    },
  ],
  [
    'raises a ceiling (that takes the role of an author as well)',
    mergePatch(agent('planner'), { spec: { capabilities: [GET] } }),
    rbac,
  ],
  [
    'suspends an agent (a Quarantine does the same)',
    mergePatch(agent('planner'), { spec: { suspended: true } }),
    rbac,
  ],
  ['creates a DelegationPolicy', create(delegation('se-new')), rbac],
  ['reads the Secret of an agent', read(at('Secret', 'planner-tls', AGENTS)), rbac],
  [
    'writes the status of a Quarantine',
    mergePatch({ ...at('Quarantine', 'held', AGENTS), subresource: 'status' }, { status: {} }),
    rbac,
  ],
]);

/** See the file. */
export const RESPONDER_ROWS: readonly Row[] = rowsOf('responder', [
  ['creates a Quarantine', create(quarantine('re-new', 'nobody')), allowed()],
  [
    'creates a Quarantine with a name that the server makes',
    create({ ...quarantine('x', 'nobody'), metadata: { generateName: 're-', namespace: AGENTS } }),
    allowed(),
  ],
  ['creates a TokenRevocation', create(revocation('re-new')), allowed()],
  ['lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac],
  ['edits a Quarantine', mergePatch(at('Quarantine', 'held', AGENTS), { spec: { reason: '' } }), rbac],
  ['deletes a TokenRevocation', remove(at('TokenRevocation', 'leak', AGENTS)), rbac],
  [
    'suspends an agent (a Quarantine does the same)',
    mergePatch(agent('planner'), { spec: { suspended: true } }),
    rbac,
  ],
  ['lifts the suspension of an agent', mergePatch(agent('frozen'), { spec: { suspended: false } }), rbac],
  ['reads an AgentIdentity', read(agent('planner')), allowed()],
  ['reads the Secret of an agent', read(at('Secret', 'planner-tls', AGENTS)), rbac],
  ['creates a DelegationPolicy', create(delegation('re-new', { capabilities: [REPORTS] })), rbac],
]);
