/** Rows of what has no face: GitOps controllers, agents, and our own processes. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  read,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { allowed, type Expected, policy, type Row, rbac, unanswered, webhook } from './row.ts';
import { AGENTS, DATA, type UserName } from './users.ts';
import { at, configMap, delegation, GET, identity, quarantine, READ, ROOT, secret, wallOf } from './world.ts';

const NO_IDENTITIES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no agentidentities.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);
const WIDENS: Expected = webhook(
  'policies',
  'this would widen capabilities',
  '  spec.rules[0].capabilities[0] root_shell: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents.',
  '    It would travel planner -> deployer.',
  '    Widen the boundary, or take it out of the rule.',
);
const NO_POLICIES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no delegationpolicies.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);
const NO_POLICIES_IN_DATA: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no delegationpolicies.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-data',
);
const NO_QUARANTINES: Expected = policy(
  'leash-kinds',
  'ServiceAccounts of namespaces with agents write no quarantines.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
);

function rowsOf(
  user: UserName,
  rows: readonly (readonly [string, Request, Expected, Partial<Row>?])[],
): readonly Row[] {
  return rows.map(([does, request, answer, more]) => ({ user, does, request, answer, ...more }));
}

const identitiesDown = { whileDown: unanswered('identities') };
const policiesDown = { whileDown: unanswered('policies') };
const agent = (name: string): ReturnType<typeof at> => at('AgentIdentity', name, AGENTS);

/** See the file. */
export const GITOPS_ROWS: readonly Row[] = rowsOf('GitOps controller', [
  [
    'applies an AgentIdentity with capabilities',
    apply(identity('gi-new', { capabilities: [GET, READ] })),
    allowed(),
    identitiesDown,
  ],
  [
    'applies an AgentIdentity as it is',
    apply(identity('gi-same', { capabilities: [GET] })),
    allowed(),
    { given: [identity('gi-same', { capabilities: [GET] })] },
  ],
  [
    'applies an AgentIdentity on a ServiceAccount whose token it may not make',
    apply(identity('gi-token', { serviceAccountName: 'librarian' })),
    policy(
      'account-token',
      'spec.serviceAccountName: the certificate of this agent is worth a token of ServiceAccount librarian, which you may not make. Ask for the verb create on serviceaccounts/token, resourceName librarian, in namespace ai-agents',
    ),
  ],
  [
    'applies `suspended: true`',
    apply(identity('gi-kill', { suspended: true })),
    allowed(),
    { given: [identity('gi-kill')] },
  ],
  [
    'applies `suspended: false` to a suspended agent',
    apply(identity('gi-lift', { suspended: false })),
    allowed(),
    { given: [identity('gi-lift', { suspended: true })], ...identitiesDown },
  ],
  ['prunes an AgentIdentity', remove(agent('gi-prune')), allowed(), { given: [identity('gi-prune')] }],
  ['applies a DelegationPolicy', apply(delegation('gi-good')), allowed(), policiesDown],
  [
    'applies a DelegationPolicy that widens',
    apply(delegation('gi-bad', { capabilities: [ROOT] })),
    WIDENS,
    policiesDown,
  ],
  [
    'applies a DelegationPolicy before its agents',
    apply(delegation('gi-early', { from: 'later' })),
    allowed('rules[0]: AgentIdentity ai-agents/later does not exist: create it, or correct the rule'),
    policiesDown,
  ],
  [
    'prunes a DelegationPolicy',
    remove(at('DelegationPolicy', 'gi-prune', AGENTS)),
    allowed(),
    { given: [delegation('gi-prune')] },
  ],
  ['prunes the wall of an agent', remove(wallOf('planner')), rbac],
  [
    'applies a CapabilityBoundary (that takes the role for the whole cluster)',
    apply({ kind: 'CapabilityBoundary', metadata: { name: 'gi-new' }, spec: { namespaceSelector: {} } }),
    rbac,
  ],
]);

/** See the file. */
export const LEASHED_ROWS: readonly Row[] = [
  ...rowsOf('GitOps controller beside agents', [
    ['applies an AgentIdentity', apply(identity('gb-new', { serviceAccountName: 'helper' })), NO_IDENTITIES],
    ['applies a DelegationPolicy', apply(delegation('gb-new')), NO_POLICIES],
    [
      'applies a DelegationPolicy in another namespace',
      apply(delegation('gb-far', { from: 'x', to: ['y'] }, DATA)),
      NO_POLICIES_IN_DATA,
    ],
    ['suspends an agent', mergePatch(agent('planner'), { spec: { suspended: true } }), NO_IDENTITIES],
    ['deletes an AgentIdentity', remove(agent('planner')), NO_IDENTITIES],
    ['creates a Quarantine', create(quarantine('gb-new', 'planner')), NO_QUARANTINES],
  ]),
  ...rowsOf('GitOps controller that may administer', [
    ['applies an AgentIdentity', apply(identity('ga-new')), allowed(), identitiesDown],
    ['applies a DelegationPolicy', apply(delegation('ga-new')), allowed(), policiesDown],
    [
      'applies a DelegationPolicy that widens',
      apply(delegation('ga-bad', { capabilities: [ROOT] })),
      WIDENS,
      policiesDown,
    ],
    [
      'applies a DelegationPolicy where it may not administer',
      apply(delegation('ga-far', { from: 'x', to: ['y'] }, DATA)),
      NO_POLICIES_IN_DATA,
    ],
    [
      'suspends an agent',
      mergePatch(agent('ga-kill'), { spec: { suspended: true } }),
      allowed(),
      { given: [identity('ga-kill')] },
    ],
    [
      'lifts a Quarantine',
      remove(at('Quarantine', 'ga-lift', AGENTS)),
      allowed(),
      { given: [quarantine('ga-lift', 'nobody')] },
    ],
  ]),
];

/** See the file. */
export const AGENT_ROWS: readonly Row[] = [
  ...rowsOf('agent', [
    ['reads its own AgentIdentity', read(agent('planner')), rbac],
    ['raises its own ceiling', mergePatch(agent('planner'), { spec: { capabilities: [ROOT] } }), rbac],
    ['creates a DelegationPolicy', create(delegation('ag-new')), rbac],
    ['reads its own Secret (it has it mounted)', read(at('Secret', 'planner-tls', AGENTS)), rbac],
    ['creates a Quarantine', create(quarantine('ag-new', 'deployer')), rbac],
  ]),
  ...rowsOf('agent with every role', [
    [
      'raises its own ceiling',
      mergePatch(agent('analyst'), { spec: { capabilities: [ROOT] } }),
      NO_IDENTITIES,
    ],
    ['creates a DelegationPolicy', create(delegation('ar-new')), NO_POLICIES],
    ['lifts a Quarantine', remove(at('Quarantine', 'held', AGENTS)), NO_QUARANTINES],
    ['suspends another agent', mergePatch(agent('deployer'), { spec: { suspended: true } }), NO_IDENTITIES],
    ['creates a Secret of its own', create(secret('ar-secret')), allowed()],
    [
      'edits the Secret of another agent',
      mergePatch(at('Secret', 'planner-tls', AGENTS), { data: {} }),
      policy(
        'leash-objects',
        'ServiceAccounts of namespaces with agents write no object kept by agent-trust. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ai-agents',
      ),
    ],
  ]),
];

const STATUS = { subresource: 'status' } as const;
const CONFIGURATION = at('ValidatingWebhookConfiguration', 'agent-trust');

/** See the file. */
export const PROCESS_ROWS: readonly Row[] = [
  ...rowsOf('controller', [
    ['reads an AgentIdentity', read(agent('planner')), allowed()],
    [
      'writes the status of an AgentIdentity',
      mergePatch({ ...agent('pc-status'), ...STATUS }, { status: { observedGeneration: 1 } }),
      allowed(),
      { given: [identity('pc-status')] },
    ],
    ['reads the Secrets of a governed namespace', read({ kind: 'Secret', namespace: AGENTS }), allowed()],
    [
      'creates the Secret of an agent',
      create(
        secret('pc-tls', AGENTS, {
          metadata: { name: 'pc-tls', namespace: AGENTS, labels: { 'agenttrust.dev/managed': 'true' } },
          type: 'kubernetes.io/tls',
          data: { 'tls.crt': '', 'tls.key': '' },
        }),
      ),
      allowed('tls: failed to find any PEM data in certificate input'),
      { dryRun: true },
    ],
    [
      'appends to its ledger',
      mergePatch(at('ConfigMap', 'agent-trust-ledger-1', OPERATOR_NAMESPACE), { data: { more: 'x' } }),
      rbac,
    ],
    [
      'creates a ConfigMap of its own state',
      create(
        configMap('agent-trust-ledger-99', OPERATOR_NAMESPACE, {
          metadata: {
            name: 'agent-trust-ledger-99',
            namespace: OPERATOR_NAMESPACE,
            labels: { 'agenttrust.dev/managed': 'true' },
          },
        }),
      ),
      allowed(),
      { dryRun: true },
    ],
    ['edits an AgentIdentity', mergePatch(agent('planner'), { spec: { suspended: true } }), rbac],
    [
      'reads the Secrets of a namespace that is not governed',
      read({ kind: 'Secret', namespace: 'elsewhere' }),
      rbac,
    ],
  ]),
  ...rowsOf('webhook', [
    ['reads the AgentIdentities', read({ kind: 'AgentIdentity' }), allowed()],
    [
      'writes the caBundle of a webhook configuration',
      jsonPatch(CONFIGURATION, { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: '' }),
      allowed(),
      { dryRun: true },
    ],
    [
      'sends the webhook configuration somewhere else',
      jsonPatch(CONFIGURATION, {
        op: 'replace',
        path: '/webhooks/0/clientConfig/service/namespace',
        value: 'elsewhere',
      }),
      policy(
        'fence-webhook-validating',
        'webhooks: the webhook of agent-trust writes the caBundle of its configurations, and nothing else',
      ),
    ],
    [
      'writes its own certificate',
      update(at('Secret', 'agent-trust-webhook-tls', OPERATOR_NAMESPACE), {
        metadata: { annotations: { note: 'x' } },
      }),
      allowed(),
      { dryRun: true },
    ],
    ['reads the keys of the authority', read(at('Secret', 'agent-trust-ca', OPERATOR_NAMESPACE)), rbac],
    ['reads the Secret of an agent', read(at('Secret', 'planner-tls', AGENTS)), rbac],
  ]),
];
