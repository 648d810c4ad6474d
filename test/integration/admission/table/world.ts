/** The cluster that the rows of the admission table are asked in. No row changes anything of it. */

import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';
import type { MeshRole } from '../../../../src/domain/mesh/model.ts';
import { meshObjectName } from '../../../../src/domain/mesh/names.ts';
import type { Manifest, Target } from '../../../support/admission/request.ts';
import { ADMINISTER_ROLE, AGENTS, DATA, ELSEWHERE, GITOPS, TOKEN_ROLE } from './users.ts';

/** ServiceAccounts that rows may make agents of. */
const FREE_ACCOUNTS: readonly string[] = ['helper', 'ghost', 'au-new', 'au-dry', 'gi-new', 'ga-new'];

/** A capability as it stands in a ceiling. */
export interface Capability {
  readonly name: string;
  readonly resources?: readonly string[];
  readonly use?: 'Invoke' | 'Delegate';
}

/** Capabilities of the world. */
export const GET: Capability = { name: 'kubectl_get' };
export const STAGING: Capability = { name: 'kubectl_apply', resources: ['namespaces/staging/*'] };
export const REPORTS: Capability = { name: 'query_database', resources: ['/data/reports/*'] };
export const READ: Capability = { name: 'read_file' };
/** In no ceiling, and outside of the boundary. */
export const ROOT: Capability = { name: 'root_shell' };

/** An AgentIdentity. */
export function identity(name: string, spec: object = {}, namespace: string = AGENTS): Manifest {
  return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
}

/** A DelegationPolicy with one rule, by which the planner hands kubectl_get to the deployer unless `rule` says otherwise. */
export function delegation(name: string, rule: object = {}, namespace: string = AGENTS): Manifest {
  const spec = { rules: [{ from: 'planner', to: ['deployer'], capabilities: [GET], ...rule }] };
  return { kind: 'DelegationPolicy', metadata: { name, namespace }, spec };
}

/** A Quarantine. */
export function quarantine(name: string, agent: string, namespace: string = AGENTS): Manifest {
  return { kind: 'Quarantine', metadata: { name, namespace }, spec: { agent, reason: 'ticket 4711' } };
}

/** A pod with one container that runs as a ServiceAccount. */
export function pod(
  name: string,
  spec: object = {},
  metadata: object = {},
  namespace: string = AGENTS,
): Manifest {
  return {
    kind: 'Pod',
    metadata: { name, namespace, ...metadata },
    spec: { containers: [{ name: 'agent', image: 'example.org/none' }], ...spec },
  };
}

/** A Secret. */
export function secret(name: string, namespace: string = AGENTS, fields: object = {}): Manifest {
  return { kind: 'Secret', metadata: { name, namespace }, ...fields };
}

/** A ConfigMap. */
export function configMap(name: string, namespace: string = AGENTS, fields: object = {}): Manifest {
  return { kind: 'ConfigMap', metadata: { name, namespace }, ...fields };
}

/** A Secret that the API server fills with a token of a ServiceAccount. */
export function accountToken(name: string, account: string, namespace: string = AGENTS): Manifest {
  const annotations = { 'kubernetes.io/service-account.name': account };
  const type = 'kubernetes.io/service-account-token';
  return { kind: 'Secret', metadata: { name, namespace, annotations }, type };
}

/** Asks for a token of a ServiceAccount. */
export const TOKEN_REQUEST: object = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: {},
};

/** Labels of what the operator keeps. */
export const MANAGED: { readonly labels: Readonly<Record<string, string>> } = {
  labels: { 'agenttrust.dev/managed': 'true' },
};

/** An object by name. */
export function at(kind: string, name: string, namespace?: string): Target {
  return { kind, name, namespace };
}

/** A manifest with nothing but the name of a target. */
export function named({ kind, name = '', namespace }: Target): Manifest {
  return { kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** The wall of an agent. */
export function wallOf(agent: string, role: MeshRole = 'net', namespace: string = AGENTS): Target {
  const kind = { net: 'NetworkPolicy', mtls: 'PeerAuthentication' }[role as string] ?? 'AuthorizationPolicy';
  return { kind, namespace, name: meshObjectName(role, { namespace, name: agent }) };
}

/** All objects but the namespaces, in the order in which they are made. */
export const WORLD: readonly Manifest[] = [
  ...[AGENTS, DATA].flatMap((namespace) =>
    [
      'planner',
      'deployer',
      'analyst',
      'frozen',
      'captive',
      'lax',
      'ghost',
      'librarian',
      'gitops',
      'administrator',
      ...FREE_ACCOUNTS,
    ].map((name) => account(name, namespace)),
  ),
  account('deployer', GITOPS),
  account('worker', ELSEWHERE),
  role(TOKEN_ROLE, {
    apiGroups: [''],
    resources: ['serviceaccounts/token'],
    resourceNames: FREE_ACCOUNTS,
    verbs: ['create'],
  }),
  role(ADMINISTER_ROLE, {
    apiGroups: ['agenttrust.dev'],
    resources: ['agentidentities'],
    verbs: ['administer'],
  }),
  {
    kind: 'CapabilityBoundary',
    metadata: { name: 'house' },
    spec: {
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [AGENTS, DATA] }],
      },
      capabilities: [
        GET,
        { name: 'kubectl_apply' },
        { name: 'query_database', resources: ['/data/*'] },
        READ,
      ],
      maxDepth: 3,
    },
  },
  identity('planner', {
    capabilities: [GET, STAGING, REPORTS, { ...READ, use: 'Delegate' }, ROOT].map((each) => ({
      use: 'Delegate',
      ...each,
    })),
  }),
  identity('deployer', { capabilities: [GET, { name: 'kubectl_apply' }, ROOT] }),
  identity('analyst', { capabilities: [{ ...READ, use: 'Invoke' }, { name: 'query_database' }] }),
  identity('frozen', { suspended: true, capabilities: [GET] }),
  identity('captive', { capabilities: [GET] }),
  identity('lax', { enforcement: 'DryRun' }),
  identity('librarian', { capabilities: [READ] }, DATA),
  delegation('plan', { to: ['deployer', 'analyst'], capabilities: [GET, READ] }),
  quarantine('held', 'captive'),
  quarantine('held-from-afar', `${AGENTS}/captive`, OPERATOR_NAMESPACE),
  { kind: 'TokenRevocation', metadata: { name: 'leak', namespace: AGENTS }, spec: { agent: 'planner' } },
  pod('planner-0', { serviceAccountName: 'planner' }),
  pod('plain', { serviceAccountName: 'default' }),
  secret('foreign'),
  secret('foreign', ELSEWHERE),
  secret('foreign', 'kube-system'),
  configMap('settings'),
  {
    kind: 'NetworkPolicy',
    metadata: { name: 'team', namespace: AGENTS },
    spec: { podSelector: { matchLabels: { app: 'x' } } },
  },
  { kind: 'Lease', metadata: { name: 'foreign', namespace: AGENTS }, spec: { holderIdentity: 'somebody' } },
  {
    kind: 'Lease',
    metadata: { name: 'foreign', namespace: OPERATOR_NAMESPACE },
    spec: { holderIdentity: 'somebody' },
  },
  { kind: 'Node', metadata: { name: 'node-1' } },
];

/** Agents of {@link WORLD} and the reason of Ready that each comes to. */
export const SETTLED: Readonly<Record<string, string>> = {
  planner: 'Issued',
  deployer: 'Issued',
  analyst: 'Issued',
  frozen: 'Quarantined',
  captive: 'Issued',
  lax: 'Issued',
};

/** An agent that is deleted while its pod runs: its walls stay. */
export const GHOST: readonly Manifest[] = [
  identity('ghost', { capabilities: [GET] }),
  pod('ghost-0', { serviceAccountName: 'ghost' }),
];

function account(name: string, namespace: string): Manifest {
  return { kind: 'ServiceAccount', metadata: { name, namespace } };
}

function role(name: string, rule: object): Manifest {
  return { kind: 'ClusterRole', metadata: { name }, rules: [rule] };
}
