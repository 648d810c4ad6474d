/** Rows of the cluster admin about AgentIdentities: nobody stands above schema, policies and webhook. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import {
  apply,
  create,
  jsonPatch,
  mergePatch,
  type Request,
  remove,
} from '../../../support/admission/request.ts';
import { allowed, type Expected, invalid, policy, type Row, schema, unanswered, webhook } from './row.ts';
import { AGENTS, ELSEWHERE } from './users.ts';
import { at, GET, identity, READ, ROOT } from './world.ts';

const RESERVED: Expected = policy(
  'reserved-namespaces',
  'metadata.namespace: no agents live in kube-system, which belongs to Kubernetes, the mesh or the operator. Use a namespace of your own',
);

const user = 'cluster admin';

function identities(): readonly Row[] {
  const of = (does: string, request: Request, answer: Expected, more: Partial<Row> = {}): Row => ({
    user,
    does,
    request,
    answer,
    ...more,
  });
  const down = { whileDown: unanswered('identities') };
  return [
    of('creates an AgentIdentity', create(identity('adm-plain', { capabilities: [GET] })), allowed(), down),
    of(
      'creates an AgentIdentity whose ceiling exceeds the boundary of its namespace',
      create(identity('adm-beyond', { capabilities: [ROOT] })),
      allowed(
        'root_shell is not held as it stands here: CapabilityBoundary house leaves no root_shell to agents of namespace ai-agents',
      ),
      down,
    ),
    of(
      'creates an AgentIdentity on the ServiceAccount of another',
      create(identity('adm-thief', { serviceAccountName: 'planner' })),
      invalid(
        'account-unique',
        'spec.serviceAccountName: ServiceAccount planner is the identity of AgentIdentity planner. Name another ServiceAccount, or delete that AgentIdentity',
      ),
    ),
    of(
      'creates an AgentIdentity on the ServiceAccount default',
      create(identity('adm-default', { serviceAccountName: 'default' })),
      schema(
        'spec.serviceAccountName: Invalid value: the ServiceAccount default is shared by every pod that names none; create one for this agent and name it here',
      ),
    ),
    of(
      'creates an AgentIdentity with a DNS name of another namespace',
      create(identity('adm-dns', { certificate: { dnsNames: ['librarian.ai-data.svc'] } })),
      invalid(
        'dns-names',
        'spec.certificate.dnsNames: librarian.ai-data.svc is not in this namespace. Use names that end in .ai-agents.svc or .ai-agents.svc.cluster.local',
      ),
    ),
    of(
      'creates an AgentIdentity with a DNS name of its own namespace',
      create(identity('adm-own-dns', { certificate: { dnsNames: [`other.${AGENTS}.svc`] } })),
      allowed(),
      down,
    ),
    of(
      "creates an AgentIdentity with a DNS name of another agent's Service",
      create(identity('adm-planner-dns', { certificate: { dnsNames: [`planner.${AGENTS}.svc`] } })),
      webhook(
        'identities',
        'this AgentIdentity could not be served',
        `  spec.certificate.dnsNames: "planner.ai-agents.svc" is a name of the Service of AgentIdentity planner.`,
        '    One name belongs to one agent: take it out of one of the two.',
      ),
      down,
    ),
    of(
      'creates an AgentIdentity with a resource that climbs',
      create(identity('adm-climbs', { capabilities: [{ ...GET, resources: ['/data/../payroll'] }] })),
      schema(
        'spec.capabilities[0].resources[0]: Invalid value: "/data/../payroll": spec.capabilities[0].resources[0] in body should match \'^(\\*|/\\*|(/|[a-z][a-z0-9+.-]*:///?)?(\\.?[-!-$&-)+,0-\\[\\]-~]|\\.\\.[!-$&-)+-.0-\\[\\]-~])[!-$&-)+-.0-\\[\\]-~]*(/(\\.?[-!-$&-)+,0-\\[\\]-~]|\\.\\.[!-$&-)+-.0-\\[\\]-~])[!-$&-)+-.0-\\[\\]-~]*)*(/\\*)?)$\'',
      ),
    ),
    of(
      'creates an AgentIdentity that claims the Secret of another',
      create(identity('adm-claims', { certificate: { secretName: 'planner-tls' } })),
      webhook(
        'identities',
        'this AgentIdentity could not be served',
        '  spec.certificate.secretName: Secret ai-agents/planner-tls is the one of AgentIdentity planner.',
        '    Name a Secret for this agent alone.',
      ),
      down,
    ),
    of(
      'creates an AgentIdentity that lets an agent in as a caller',
      create(
        identity('adm-caller', {
          callers: [{ serviceAccounts: [`${AGENTS}/planner`], ports: [8443], paths: ['/healthz'] }],
        }),
      ),
      webhook(
        'identities',
        'this AgentIdentity could not be served',
        '  spec.callers[0].serviceAccounts[0] ai-agents/planner is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule.',
      ),
      down,
    ),
    of(
      'creates an AgentIdentity with a route for a capability that it does not hold',
      create(
        identity('adm-route', { server: { routes: [{ method: 'POST', path: '/v1/x', capability: 'x' }] } }),
      ),
      schema(
        'spec.server.routes: Invalid value: a route names a capability that spec.capabilities does not hold; add it there or correct the route',
      ),
    ),
    of(
      'creates an AgentIdentity with labels of ours for its Secret',
      create(
        identity('adm-labels', {
          certificate: { secretTemplate: { labels: { 'agenttrust.dev/managed': 'false' } } },
        }),
      ),
      schema(
        'spec.certificate.secretTemplate: Invalid value: labels of agenttrust.dev, kubernetes.io, k8s.io and argocd.argoproj.io are reserved; use a prefix of your own',
      ),
    ),
    of(
      'creates an AgentIdentity in kube-system',
      create(identity('adm-system', {}, 'kube-system')),
      RESERVED,
    ),
    of(
      'creates an AgentIdentity in the namespace of the operator',
      create(identity('adm-operator', {}, OPERATOR_NAMESPACE)),
      policy(
        'reserved-namespaces',
        'metadata.namespace: no agents live in agent-trust-system, which belongs to Kubernetes, the mesh or the operator. Use a namespace of your own',
      ),
    ),
    of(
      'creates an AgentIdentity in a namespace that is not governed',
      create(identity('adm-elsewhere', { capabilities: [GET] }, ELSEWHERE)),
      allowed(),
    ),
    of('applies an AgentIdentity', apply(identity('adm-applied', { capabilities: [GET] })), allowed(), down),
    of(
      'raises a ceiling, and others gain by it',
      mergePatch(at('AgentIdentity', 'deployer', AGENTS), {
        spec: { capabilities: [GET, { name: 'kubectl_apply' }, ROOT, READ] },
      }),
      allowed(
        'deployer gains read_file through planner (policy ai-agents/plan, rules[0]): planner -> deployer',
      ),
      { dryRun: true, ...down },
    ),
    of(
      'moves an AgentIdentity to another ServiceAccount',
      mergePatch(at('AgentIdentity', 'planner', AGENTS), { spec: { serviceAccountName: 'other' } }),
      schema(
        'spec.serviceAccountName: Invalid value: serviceAccountName is the identity of the agent and cannot change; create another AgentIdentity for the other ServiceAccount',
      ),
    ),
    of(
      'suspends an agent by merge patch',
      mergePatch(at('AgentIdentity', 'adm-suspend', AGENTS), { spec: { suspended: true } }),
      allowed(),
      { given: [identity('adm-suspend')] },
    ),
    of(
      'lifts the suspension of an agent',
      mergePatch(at('AgentIdentity', 'adm-lift', AGENTS), { spec: { suspended: false } }),
      allowed(),
      { given: [identity('adm-lift', { suspended: true })], ...down },
    ),
    of('deletes a suspended agent', remove(at('AgentIdentity', 'adm-end', AGENTS)), allowed(), {
      given: [identity('adm-end', { suspended: true })],
    }),
    of(
      'turns enforcement of an agent off',
      mergePatch(at('AgentIdentity', 'adm-dry', AGENTS), { spec: { enforcement: 'DryRun' } }),
      allowed(),
      { given: [identity('adm-dry')], ...down },
    ),
    of(
      'puts a label on an AgentIdentity',
      mergePatch(at('AgentIdentity', 'adm-label', AGENTS), { metadata: { labels: { team: 'red' } } }),
      allowed(),
      { given: [identity('adm-label')] },
    ),
    of(
      'puts a finalizer on an AgentIdentity',
      jsonPatch(at('AgentIdentity', 'adm-finalizer', AGENTS), {
        op: 'add',
        path: '/metadata/finalizers',
        value: ['example.org/hold'],
      }),
      allowed(),
      { given: [identity('adm-finalizer')] },
    ),
    of(
      'takes a finalizer off an AgentIdentity',
      jsonPatch(at('AgentIdentity', 'adm-unfinalize', AGENTS), {
        op: 'remove',
        path: '/metadata/finalizers',
      }),
      allowed(),
      {
        given: [
          {
            ...identity('adm-unfinalize'),
            metadata: { name: 'adm-unfinalize', namespace: AGENTS, finalizers: ['example.org/hold'] },
          },
        ],
      },
    ),
    of(
      'writes the status of an AgentIdentity',
      mergePatch(
        { ...at('AgentIdentity', 'adm-status', AGENTS), subresource: 'status' },
        { status: { spiffeID: 'spiffe://x' } },
      ),
      allowed(),
      { given: [identity('adm-status')] },
    ),
  ];
}

/** See the file. */
export const ADMIN_IDENTITY_ROWS: readonly Row[] = identities();
