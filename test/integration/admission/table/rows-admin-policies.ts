/** Rows of the cluster admin about DelegationPolicies. */

import {
  apply,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { allowed, type Expected, policy, type Row, schema, unanswered, webhook } from './row.ts';
import { AGENTS, ELSEWHERE } from './users.ts';
import { at, delegation, GET, READ, REPORTS, ROOT, STAGING } from './world.ts';

const RESERVED: Expected = policy(
  'reserved-namespaces',
  'metadata.namespace: no agents live in kube-system, which belongs to Kubernetes, the mesh or the operator. Use a namespace of your own',
);
const ANALYST_LACKS_GET: Expected = webhook(
  'policies',
  'this would widen capabilities',
  '  spec.rules[0].capabilities[0] kubectl_get: analyst does not hold it (it holds read_file, query_database).',
  '    It would travel planner -> analyst.',
  '    Add it to the AgentIdentity analyst (needs verb grant on capabilities.agenttrust.dev/kubectl_get), or take it out of the rule.',
);
const NO_ROOT_IN_HOUSE: Expected = webhook(
  'policies',
  'this would widen capabilities',
  '  spec.rules[0].capabilities[1] root_shell: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents.',
  '    It would travel planner -> deployer.',
  '    Widen the boundary, or take it out of the rule.',
);

const user = 'cluster admin';

function policies(): readonly Row[] {
  const of = (does: string, request: Request, answer: Expected, more: Partial<Row> = {}): Row => ({
    user,
    does,
    request,
    answer,
    ...more,
  });
  const down = { whileDown: unanswered('policies') };
  const own = (name: string): Partial<Row> => ({ given: [delegation(name)], ...down });
  return [
    of('creates a DelegationPolicy', create(delegation('adm-good')), allowed(), down),
    of('applies a DelegationPolicy', apply(delegation('adm-applied')), allowed(), down),
    of(
      'creates a DelegationPolicy that passes on what its agent does not hold',
      create(delegation('adm-a', { from: 'deployer', to: ['analyst'], capabilities: [READ] })),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] read_file: deployer does not hold it for Delegate (it holds kubectl_get, kubectl_apply, root_shell).',
        '    It would travel deployer -> analyst.',
        '    Add it to the AgentIdentity deployer (needs verb grant on capabilities.agenttrust.dev/read_file), or take it out of the rule.',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy that passes on what its agent holds to use alone',
      create(delegation('adm-use', { from: 'analyst', to: ['planner'], capabilities: [READ] })),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] read_file: analyst holds it for Invoke only and may not pass it on.',
        '    It would travel analyst -> planner.',
        '    Take "use" out of its entry in the AgentIdentity analyst (needs verb grant on capabilities.agenttrust.dev/read_file), or take it out of the rule.',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy for more resources than its agent holds',
      create(
        delegation('adm-more', {
          capabilities: [{ ...STAGING, resources: ['namespaces/staging/*', 'namespaces/prod/*'] }],
        }),
      ),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] resources "namespaces/prod/*": planner holds kubectl_apply on "namespaces/staging/*" only.',
        '    It would travel planner -> deployer.',
        '    Narrow the resources of the rule, or widen them in the AgentIdentity planner (needs verb grant on capabilities.agenttrust.dev/kubectl_apply).',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy for what no target holds',
      create(delegation('adm-b', { to: ['analyst'] })),
      ANALYST_LACKS_GET,
      down,
    ),
    of(
      'creates a DelegationPolicy for what a boundary leaves nobody',
      create(delegation('adm-c', { capabilities: [ROOT] })),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] root_shell: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents.',
        '    It would travel planner -> deployer.',
        '    Widen the boundary, or take it out of the rule.',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy for what some of its targets lack',
      create(delegation('adm-some', { to: ['deployer', 'analyst'], capabilities: [GET, REPORTS] })),
      allowed(
        'analyst gains query_database on /data/reports/* through planner (policy ai-agents/adm-some, rules[0]): planner -> analyst',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy with three faults',
      create(
        delegation('adm-three', { to: ['analyst'], capabilities: [GET, ROOT, { name: 'format_disk' }] }),
      ),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] kubectl_get: analyst does not hold it (it holds read_file, query_database).',
        '    It would travel planner -> analyst.',
        '    Add it to the AgentIdentity analyst (needs verb grant on capabilities.agenttrust.dev/kubectl_get), or take it out of the rule.',
        '  spec.rules[0].capabilities[1] root_shell: analyst does not hold it (it holds read_file, query_database).',
        '    It would travel planner -> analyst.',
        '    Add it to the AgentIdentity analyst (needs verb grant on capabilities.agenttrust.dev/root_shell), or take it out of the rule.',
        '  spec.rules[0].capabilities[1] root_shell: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents.',
        '    It would travel planner -> analyst.',
        '    Widen the boundary, or take it out of the rule.',
        '  spec.rules[0].capabilities[2] format_disk: planner does not hold it for Delegate (it holds kubectl_get, kubectl_apply, query_database, read_file, root_shell).',
        '    It would travel planner -> analyst.',
        '    Add it to the AgentIdentity planner (needs verb grant on capabilities.agenttrust.dev/format_disk), or take it out of the rule.',
        '  spec.rules[0].capabilities[2] format_disk: analyst does not hold it (it holds read_file, query_database).',
        '    It would travel planner -> analyst.',
        '    Add it to the AgentIdentity analyst (needs verb grant on capabilities.agenttrust.dev/format_disk), or take it out of the rule.',
        '  spec.rules[0].capabilities[2] format_disk: CapabilityBoundary house leaves no format_disk to agents of namespace ai-agents.',
        '    It would travel planner -> analyst.',
        '    Widen the boundary, or take it out of the rule.',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy from an agent that is not there yet',
      create(delegation('adm-from', { from: 'nobody' })),
      allowed('rules[0]: AgentIdentity ai-agents/nobody does not exist: create it, or correct the rule'),
      down,
    ),
    of(
      'creates a DelegationPolicy to an agent that is not there yet',
      create(delegation('adm-to', { to: ['nobody'] })),
      allowed('rules[0]: AgentIdentity ai-agents/nobody does not exist: create it, or correct the rule'),
      down,
    ),
    of(
      'creates a DelegationPolicy to an agent of another namespace that has not consented',
      create(delegation('adm-far', { to: ['ai-data/librarian'], capabilities: [READ] })),
      allowed(
        'rules[0]: ai-data/librarian does not accept delegations from ai-agents/planner: add {namespace: ai-agents, agents: [planner]} to spec.acceptFrom of AgentIdentity ai-data/librarian',
      ),
      { ...down, dryRun: true },
    ),
    of(
      'creates a DelegationPolicy to the delegating agent',
      create(delegation('adm-self', { to: ['planner'] })),
      schema(
        'spec.rules[0].to: Invalid value: an agent cannot delegate to itself; take the agent that stands in from out of to',
      ),
    ),
    of(
      'creates a DelegationPolicy to the delegating agent, by its long name',
      create(delegation('adm-self-long', { to: [`${AGENTS}/planner`] })),
      webhook(
        'policies',
        'this DelegationPolicy would grant nothing, because it is not valid',
        '  spec.rules[0].to[0] is the delegating agent itself: take it out.',
      ),
      down,
    ),
    of(
      'creates a DelegationPolicy that is too deep for the schema',
      create({ ...delegation('adm-deep'), spec: { maxDepth: 9, rules: [] } }),
      schema('spec.maxDepth: Invalid value: 9: spec.maxDepth in body should be less than or equal to 8'),
    ),
    of(
      'widens a DelegationPolicy by update',
      update(at('DelegationPolicy', 'adm-widen', AGENTS), {
        spec: { rules: [{ from: 'planner', to: ['deployer'], capabilities: [GET, READ] }] },
      }),
      webhook(
        'policies',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[1] read_file: deployer does not hold it (it holds kubectl_get, kubectl_apply, root_shell).',
        '    It would travel planner -> deployer.',
        '    Add it to the AgentIdentity deployer (needs verb grant on capabilities.agenttrust.dev/read_file), or take it out of the rule.',
      ),
      own('adm-widen'),
    ),
    of(
      'widens a DelegationPolicy by merge patch',
      mergePatch(at('DelegationPolicy', 'adm-merge', AGENTS), {
        spec: { rules: [{ from: 'planner', to: ['analyst'], capabilities: [GET] }] },
      }),
      ANALYST_LACKS_GET,
      own('adm-merge'),
    ),
    of(
      'widens a DelegationPolicy by JSON patch',
      jsonPatch(at('DelegationPolicy', 'adm-json', AGENTS), {
        op: 'add',
        path: '/spec/rules/0/capabilities/-',
        value: ROOT,
      }),
      NO_ROOT_IN_HOUSE,
      own('adm-json'),
    ),
    of(
      'widens a DelegationPolicy by server-side apply',
      apply(delegation('adm-apply', { capabilities: [GET, ROOT] })),
      NO_ROOT_IN_HOUSE,
      own('adm-apply'),
    ),
    of(
      'narrows a DelegationPolicy',
      mergePatch(at('DelegationPolicy', 'adm-narrow', AGENTS), {
        spec: {
          rules: [
            {
              from: 'planner',
              to: ['deployer'],
              capabilities: [{ ...GET, resources: ['namespaces/staging/*'] }],
            },
          ],
        },
      }),
      allowed(),
      own('adm-narrow'),
    ),
    of(
      'puts a label on a DelegationPolicy',
      mergePatch(at('DelegationPolicy', 'adm-label', AGENTS), { metadata: { labels: { team: 'red' } } }),
      allowed(),
      { given: [delegation('adm-label')] },
    ),
    of('deletes a DelegationPolicy', remove(at('DelegationPolicy', 'adm-delete', AGENTS)), allowed(), {
      given: [delegation('adm-delete')],
    }),
    of(
      'creates a DelegationPolicy in kube-system',
      create(delegation('adm-system', {}, 'kube-system')),
      RESERVED,
    ),
    of(
      'creates any DelegationPolicy in a namespace that is not governed',
      create(delegation('adm-elsewhere', { capabilities: [ROOT] }, ELSEWHERE)),
      allowed(),
    ),
  ];
}

/** See the file. */
export const ADMIN_POLICY_ROWS: readonly Row[] = policies();
