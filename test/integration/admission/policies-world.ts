/** A cluster with the admission policies of the chart, nothing else of the operator, and the people and processes in it. */

import { expect } from 'chai';
import { after, before } from 'mocha';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import type { Answer } from '../../support/admission/answer.ts';
import { ApiServer, type Caller } from '../../support/admission/api-server.ts';
import { ask } from '../../support/admission/ask.ts';
import { create, type Manifest, type Request } from '../../support/admission/request.ts';
import { eventually } from '../../support/eventually.ts';
import { type FrozenObject, freeze } from '../../support/frozen.ts';
import { AGENTS } from '../../support/swarm.ts';

/** A namespace that is not governed. */
export const ELSEWHERE = 'elsewhere';

/** What GRANTER may grant: one less than an AgentIdentity can have. */
export const GRANTED: readonly string[] = Array.from({ length: 63 }, (_, index) => `c${index}`);

/** A ServiceAccount, with the groups that the API server gives it. */
function account(name: string, namespace: string = AGENTS): Caller {
  return { user: `system:serviceaccount:${namespace}:${name}` };
}

/** A person: no groups. */
function person(user: string): Caller {
  return { user, groups: ['system:authenticated'] };
}

/** Edits the namespace with agents, and describes agents there. */
export const EDITOR: Caller = person('editor');
/** Describes agents, and may not make tokens of their ServiceAccounts. */
export const AUTHOR: Caller = person('author');
/** Like EDITOR, and holds the verb grant on GRANTED alone. */
export const GRANTER: Caller = person('granter');
/** Like EDITOR, and the role agent-trust-security there. */
export const SECURITY: Caller = person('security');
/** The role agent-trust-responder. */
export const RESPONDER: Caller = person('responder');
/** The processes of the operator, here with every right to write. */
export const CONTROLLER: Caller = account('agent-trust-controller', OPERATOR_NAMESPACE);
export const WEBHOOK: Caller = account('agent-trust-webhook', OPERATOR_NAMESPACE);
/** An agent, with every right to write. */
export const AGENT: Caller = account('agent-deployer');
/** What deploys from the namespace with agents, with every right to write, and the verb administer there. */
export const DEPLOYER: Caller = account('deployer');
/** A ServiceAccount of another namespace, with every right to write. */
export const OUTSIDER: Caller = account('application', ELSEWHERE);
/** Of Kubernetes. */
export const GARBAGE_COLLECTOR: Caller = account('generic-garbage-collector', 'kube-system');
export const NAMESPACE_CONTROLLER: Caller = account('namespace-controller', 'kube-system');

const READ_AND_WRITE = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const EVERY_WRITE: Manifest = {
  kind: 'ClusterRole',
  metadata: { name: 'every-write' },
  rules: [{ apiGroups: ['*'], resources: ['*'], verbs: READ_AND_WRITE }],
};
const GRANT_SOME: Manifest = {
  kind: 'ClusterRole',
  metadata: { name: 'grant-some' },
  rules: [
    { apiGroups: ['agenttrust.dev'], resources: ['capabilities'], resourceNames: GRANTED, verbs: ['grant'] },
  ],
};
const ADMINISTER: Manifest = {
  kind: 'ClusterRole',
  metadata: { name: 'administer' },
  rules: [{ apiGroups: ['agenttrust.dev'], resources: ['agentidentities'], verbs: ['administer'] }],
};

/** Role, who has it, and where; without a namespace everywhere. */
const BINDINGS: readonly (readonly [string, Caller, string?])[] = [
  ['edit', EDITOR, AGENTS],
  ['agent-trust-author', EDITOR, AGENTS],
  ['agent-trust-author', AUTHOR, AGENTS],
  ['edit', GRANTER, AGENTS],
  ['agent-trust-author', GRANTER, AGENTS],
  ['grant-some', GRANTER, AGENTS],
  ['edit', SECURITY, AGENTS],
  ['agent-trust-author', SECURITY, AGENTS],
  ['agent-trust-security', SECURITY, AGENTS],
  ['agent-trust-responder', RESPONDER, AGENTS],
  ['every-write', CONTROLLER],
  ['every-write', WEBHOOK],
  ['every-write', AGENT],
  ['every-write', DEPLOYER],
  ['administer', DEPLOYER, AGENTS],
  ['every-write', OUTSIDER],
];

function binding([role, caller, namespace]: (typeof BINDINGS)[number], index: number): Manifest {
  const user = 'user' in caller ? caller.user : '';
  const metadata = { name: `policies-${index}` };
  return {
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: namespace === undefined ? metadata : { ...metadata, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

/** What tests of the policies do. */
export class PoliciesWorld {
  readonly #server: ApiServer;

  constructor(server: ApiServer) {
    this.#server = server;
  }

  /** Asks for real, as administrator unless told otherwise. @throws when it is refused. */
  async make(request: Request, caller?: Caller): Promise<void> {
    const answer = await ask(this.#server, request, caller === undefined ? {} : { caller });
    if ('says' in answer) throw new Error(`${request.verb} was refused by ${answer.by}: ${answer.says}`);
  }

  /** Creates these for real, as administrator unless told otherwise. */
  async create(manifests: readonly Manifest[], caller?: Caller): Promise<void> {
    for (const manifest of manifests) await this.make(create(manifest), caller);
  }

  /** What would be answered. Nothing is stored. */
  asks(request: Request, caller?: Caller): Promise<Answer> {
    return ask(this.#server, request, { dryRun: true, ...(caller === undefined ? {} : { caller }) });
  }

  /** That it would be stored. The API server may warn of what the examples are made of. */
  async accepts(request: Request, caller?: Caller): Promise<void> {
    expect(await this.asks(request, caller)).to.have.all.keys('warnings');
  }

  /** That a policy refuses it with exactly this sentence; 403 unless told otherwise. */
  async rejects(
    request: Request,
    caller: Caller | undefined,
    {
      policy,
      says,
      status = 403,
    }: { readonly policy: string; readonly says: string; readonly status?: number },
  ): Promise<void> {
    const by = `policy agent-trust-${policy}`;
    expect(await this.asks(request, caller)).to.deep.equal({ status, by, says });
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.#server.close();
  }
}

/** How the policies are installed. */
export interface PoliciesWorldOptions {
  /** Done before the installation, such as kinds of others. */
  readonly prepare?: () => Promise<void>;
  /** For `helm install --set`. */
  readonly set?: readonly string[];
  /** A request of the administrator and who refuses it, such as `policy agent-trust-issuers`: waited for beside the usual ones. */
  readonly refused?: { readonly request: Request; readonly by: string };
}

/** Installs the policies and makes the people. Call inside a suite that has a control plane with its controllers: they fill the built-in roles. */
export function usePoliciesWorld(
  controlPlane: () => ControlPlane,
  { prepare, set = [], refused }: PoliciesWorldOptions = {},
): () => PoliciesWorld {
  let world: PoliciesWorld | undefined;
  before(async () => {
    const server = await ApiServer.of(controlPlane());
    world = new PoliciesWorld(server);
    const namespaces = [AGENTS, ELSEWHERE].map((name) => ({ kind: 'Namespace', metadata: { name } }));
    await world.create(namespaces);
    await prepare?.();
    const { kubeconfigPath } = controlPlane();
    await installChart({ kubeconfigPath, namespaces: [AGENTS], admission: 'policies', set });
    await world.create([EVERY_WRITE, GRANT_SOME, ADMINISTER, ...BINDINGS.map(binding)]);
    await freeze(controlPlane(), LAST);
    await inForce(world, refused);
  });
  after(() => world?.close());
  return () => {
    if (world === undefined) throw new Error('the world is there from the first test on, not earlier');
    return world;
  };
}

/** A policy that is made after all others. */
const LAST: FrozenObject = { resource: 'configmaps', name: 'last', operations: ['CREATE'], unless: 'false' };

/** The API server takes policies into use in the order in which they were made, and bindings too; what they look at is asked for. */
async function inForce(world: PoliciesWorld, refused: PoliciesWorldOptions['refused']): Promise<void> {
  const metadata = { name: 'probe', namespace: AGENTS };
  const probe = (spec: object) => world.asks(create({ kind: 'AgentIdentity', metadata, spec }), EDITOR);
  await eventually('the policies to be in force', async () => {
    expect(await probe({ capabilities: [{ name: 'x' }] })).to.include({ by: 'policy agent-trust-grant-1' });
    expect(await probe({ enforcement: 'DryRun' })).to.include({ by: 'policy agent-trust-ungovern' });
    expect(await probe({})).to.deep.equal({ warnings: [] });
    const last = create({ kind: 'ConfigMap', metadata: { name: LAST.name, namespace: AGENTS } });
    expect(await world.asks(last)).to.include({ by: 'policy frozen' });
    if (refused !== undefined) expect(await world.asks(refused.request)).to.include({ by: refused.by });
    return true;
  });
}
