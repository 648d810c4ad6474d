/** Rows of the authors of agents: within what they were granted, and able to stop, never to lift. */

import {
  apply,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { allowed, type Expected, policy, type Row, rbac, unanswered, webhook } from './row.ts';
import { AGENTS, DATA, type UserName } from './users.ts';
import { at, delegation, GET, identity, quarantine, READ, ROOT, STAGING } from './world.ts';

const READ_NOT_GRANTED: Expected = policy(
  'grant-1',
  'spec.capabilities: adding read_file, or widening it, needs the verb grant on capabilities.agenttrust.dev/read_file in namespace ai-agents. Ask for it, or leave this capability as it was',
);
const APPLY_NOT_GRANTED: Expected = policy(
  'grant-1',
  'spec.capabilities: adding kubectl_apply, or widening it, needs the verb grant on capabilities.agenttrust.dev/kubectl_apply in namespace ai-agents. Ask for it, or leave this capability as it was',
);
const NOT_RESTORED: Expected = policy(
  'restore-identity',
  'spec.suspended: lifting it needs the verb restore on agentidentities.agenttrust.dev/frozen in namespace ai-agents. Ask for it, or leave it true',
);
const DRY = { dryRun: true } as const;

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
export const AUTHOR_ROWS: readonly Row[] = rowsOf('author', [
  ['creates an AgentIdentity without capabilities', create(identity('au-new')), allowed(), identitiesDown],
  [
    'creates an AgentIdentity on a ServiceAccount whose token it may not make',
    create(identity('au-token', { serviceAccountName: 'librarian' })),
    policy(
      'account-token',
      'spec.serviceAccountName: the certificate of this agent is worth a token of ServiceAccount librarian, which you may not make. Ask for the verb create on serviceaccounts/token, resourceName librarian, in namespace ai-agents',
    ),
  ],
  [
    'creates an AgentIdentity with a capability',
    create(identity('au-grant', { serviceAccountName: 'helper', capabilities: [GET] })),
    policy(
      'grant-1',
      'spec.capabilities: adding kubectl_get, or widening it, needs the verb grant on capabilities.agenttrust.dev/kubectl_get in namespace ai-agents. Ask for it, or leave this capability as it was',
    ),
  ],
  [
    'applies an AgentIdentity with a capability',
    apply(identity('au-applied', { serviceAccountName: 'helper', capabilities: [READ] })),
    READ_NOT_GRANTED,
  ],
  [
    'adds a capability by merge patch',
    mergePatch(agent('au-ceiling-1'), { spec: { capabilities: [GET, ROOT] } }),
    policy(
      'grant-1',
      'spec.capabilities: adding root_shell, or widening it, needs the verb grant on capabilities.agenttrust.dev/root_shell in namespace ai-agents. Ask for it, or leave this capability as it was',
    ),
    { given: [identity('au-ceiling-1', { capabilities: [GET] })] },
  ],
  [
    'adds a capability by JSON patch',
    jsonPatch(agent('au-ceiling-2'), { op: 'add', path: '/spec/capabilities/-', value: READ }),
    READ_NOT_GRANTED,
    { given: [identity('au-ceiling-2', { capabilities: [GET] })] },
  ],
  [
    'adds a capability by update',
    update(agent('au-ceiling-3'), { spec: { capabilities: [GET, READ] } }),
    READ_NOT_GRANTED,
    { given: [identity('au-ceiling-3', { capabilities: [GET] })] },
  ],
  [
    'adds a capability by server-side apply',
    apply(identity('au-ceiling-4', { capabilities: [GET, READ] })),
    READ_NOT_GRANTED,
    { given: [identity('au-ceiling-4', { capabilities: [GET] })] },
  ],
  [
    'widens the resources of a capability',
    mergePatch(agent('au-ceiling-5'), {
      spec: { capabilities: [{ ...STAGING, resources: ['namespaces/*'] }] },
    }),
    APPLY_NOT_GRANTED,
    { given: [identity('au-ceiling-5', { capabilities: [STAGING] })] },
  ],
  [
    'takes the resources of a capability away',
    mergePatch(agent('au-ceiling-6'), { spec: { capabilities: [{ name: 'kubectl_apply' }] } }),
    APPLY_NOT_GRANTED,
    { given: [identity('au-ceiling-6', { capabilities: [STAGING] })] },
  ],
  [
    'takes the limit of its use off a capability',
    mergePatch(agent('au-ceiling-7'), { spec: { capabilities: [READ] } }),
    READ_NOT_GRANTED,
    { given: [identity('au-ceiling-7', { capabilities: [{ ...READ, use: 'Invoke' }] })] },
  ],
  [
    'takes a capability away',
    mergePatch(agent('au-ceiling-8'), { spec: { capabilities: [GET] } }),
    allowed(),
    { given: [identity('au-ceiling-8', { capabilities: [GET, READ] })], ...identitiesDown },
  ],
  [
    'narrows a capability',
    mergePatch(agent('au-ceiling-9'), {
      spec: { capabilities: [{ ...GET, resources: ['namespaces/staging/*'], use: 'Invoke' }] },
    }),
    allowed(),
    { given: [identity('au-ceiling-9', { capabilities: [GET] })], ...identitiesDown },
  ],
  [
    'suspends an agent by merge patch',
    mergePatch(agent('au-kill-1'), { spec: { suspended: true } }),
    allowed(),
    { given: [identity('au-kill-1')] },
  ],
  [
    'suspends an agent by JSON patch',
    jsonPatch(agent('au-kill-2'), { op: 'add', path: '/spec/suspended', value: true }),
    allowed(),
    { given: [identity('au-kill-2')] },
  ],
  [
    'suspends an agent by update',
    update(agent('au-kill-3'), { spec: { suspended: true } }),
    allowed(),
    { given: [identity('au-kill-3')] },
  ],
  [
    'suspends an agent by server-side apply',
    apply(identity('au-kill-4', { suspended: true })),
    allowed(),
    { given: [identity('au-kill-4')] },
  ],
  ['deletes an agent', remove(agent('au-kill-5')), allowed(), { given: [identity('au-kill-5')] }],
  [
    'lifts the suspension of an agent',
    mergePatch(agent('frozen'), { spec: { suspended: false } }),
    NOT_RESTORED,
  ],
  [
    'takes the field suspended of a suspended agent away',
    mergePatch(agent('frozen'), { spec: { suspended: null } }),
    NOT_RESTORED,
  ],
  [
    'deletes a suspended agent',
    remove(agent('frozen')),
    policy(
      'restore-identity',
      'spec.suspended: deleting a suspended agent needs the verb restore on agentidentities.agenttrust.dev/frozen in namespace ai-agents. Ask for it',
    ),
  ],
  [
    'deletes all agents of a namespace, a suspended one among them',
    remove({ kind: 'AgentIdentity', namespace: AGENTS }),
    rbac,
    DRY,
  ],
  [
    'turns enforcement off',
    mergePatch(agent('planner'), { spec: { enforcement: 'DryRun' } }),
    policy(
      'ungovern',
      'spec.enforcement: going from Enforce to DryRun needs the verb ungovern on agentidentities.agenttrust.dev/planner in namespace ai-agents. Ask for it, or leave Enforce',
    ),
  ],
  [
    'creates an AgentIdentity with enforcement DryRun',
    create(identity('au-dry', { enforcement: 'DryRun' })),
    policy(
      'ungovern',
      'spec.enforcement: an agent with DryRun is open to every caller, and so are pods that a former one of its ServiceAccount kept closed. Making it needs the verb ungovern on agentidentities.agenttrust.dev/au-dry in namespace ai-agents. Ask for it, or leave Enforce',
    ),
  ],
  [
    'makes an agent that was deleted anew, with enforcement DryRun',
    create(identity('au-ghost', { serviceAccountName: 'ghost', enforcement: 'DryRun' })),
    policy(
      'ungovern',
      'spec.enforcement: an agent with DryRun is open to every caller, and so are pods that a former one of its ServiceAccount kept closed. Making it needs the verb ungovern on agentidentities.agenttrust.dev/au-ghost in namespace ai-agents. Ask for it, or leave Enforce',
    ),
  ],
  [
    'puts a label on an AgentIdentity',
    mergePatch(agent('au-label'), { metadata: { labels: { team: 'red' } } }),
    allowed(),
    { given: [identity('au-label')] },
  ],
  [
    'takes a finalizer off an AgentIdentity',
    jsonPatch(agent('au-finalizer'), { op: 'remove', path: '/metadata/finalizers' }),
    allowed(),
    {
      given: [
        {
          ...identity('au-finalizer'),
          metadata: { name: 'au-finalizer', namespace: AGENTS, finalizers: ['example.org/hold'] },
        },
      ],
    },
  ],
  [
    'writes the status of an AgentIdentity',
    mergePatch({ ...agent('planner'), subresource: 'status' }, { status: { spiffeID: 'spiffe://x' } }),
    rbac,
  ],
  ['creates a DelegationPolicy', create(delegation('au-good')), allowed(), policiesDown],
  [
    'creates a DelegationPolicy that widens',
    create(delegation('au-bad', { capabilities: [GET, ROOT] })),
    webhook(
      'policies',
      'this would widen capabilities',
      '  spec.rules[0].capabilities[1] root_shell: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents.',
      '    It would travel planner -> deployer.',
      '    Widen the boundary, or take it out of the rule.',
    ),
    policiesDown,
  ],
  [
    'deletes a DelegationPolicy',
    remove(at('DelegationPolicy', 'au-delete', AGENTS)),
    allowed(),
    { given: [delegation('au-delete')] },
  ],
  [
    'deletes all DelegationPolicies of a namespace',
    remove({ kind: 'DelegationPolicy', namespace: AGENTS }),
    rbac,
    DRY,
  ],
  [
    'consents to delegations from another namespace',
    mergePatch(at('AgentIdentity', 'librarian', DATA), {
      spec: { acceptFrom: [{ namespace: AGENTS, agents: ['planner'] }] },
    }),
    allowed(),
    { dryRun: true, ...identitiesDown },
  ],
  [
    'creates a CapabilityBoundary',
    create({ kind: 'CapabilityBoundary', metadata: { name: 'au-new' }, spec: { namespaceSelector: {} } }),
    rbac,
  ],
  ['creates a Quarantine', create(quarantine('au-new', 'planner')), rbac],
  ['deletes a Quarantine', remove(at('Quarantine', 'held', AGENTS)), rbac],
]);
