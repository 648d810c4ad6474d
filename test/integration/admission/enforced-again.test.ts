/** What admission refuses has no effect either where it is switched off: nothing is granted or issued, and status says why. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { SERVICE_ACCOUNT } from '../../../src/kube/core-types.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/object.ts';
import { typeOf } from '../../support/admission/kinds.ts';
import {
  accountOfIdentity,
  type Opening,
  openInMesh,
  openInWorld,
  serving,
  worldOnServer,
} from '../../support/admission/server-world.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { boundary, identity, type Manifest, PolicyCluster, policy } from '../../support/policies.ts';
import { useSwarm } from '../../support/swarm.ts';

const GET = { name: 'kubectl_get' };
const STAGING = { name: 'kubectl_apply', resources: ['namespaces/staging/*'] };
const EVERYWHERE = { name: 'kubectl_apply' };
const NAMESPACES = ['widening', 'bounded', 'shared', 'named', 'loose', 'consent', 'dry', 'far'];

type Problems = readonly {
  readonly reason: string;
  readonly capability?: string;
  readonly message: string;
}[];

describe('with webhook and policies switched off, nothing that they refuse takes effect', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);
  let mesh: MeshCluster;
  let cluster: PolicyCluster;
  let operator: RunningOperator;

  before(async () => {
    await applyIstioCrds(controlPlane());
    mesh = new MeshCluster(swarm());
    cluster = new PolicyCluster(swarm().client);
    for (const namespace of NAMESPACES)
      await mesh.label({ 'istio-injection': 'enabled', team: namespace }, namespace);
    operator = await startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${NAMESPACES.join()}`],
    });
  });
  after(() => operator?.stop());

  /** Waits until the walls open what the objects on the server let the reference open, and gives it by namespace. */
  async function open(namespace: string): Promise<readonly Opening[]> {
    const all = await eventually('the walls to be as the objects say', async () => {
      const world = await worldOnServer(swarm().client, NAMESPACES);
      const { items } = await swarm().client.list<AgentIdentity>(AGENT_IDENTITY);
      const accounts = new Map(
        items.map((each): [string, string] => [
          `${each.metadata.namespace}/${each.metadata.name}`,
          accountOfIdentity(each),
        ]),
      );
      const accountOf = (id: AgentId): string => accounts.get(id) ?? '';
      // Whoever shares a ServiceAccount with the agent that has it is that agent to the mesh.
      const owners = world.agents.filter(({ isServed }) => isServed);
      const opened = openInMesh({ ...world, agents: owners }, await mesh.policies(NAMESPACES), accountOf);
      // Nothing is refused in front of an agent that only records; there is a test for that.
      const walled = opened.filter((opening) => !opening.includes('> dry/'));
      expect(walled).to.deep.equal(openInWorld(world));
      return walled;
    });
    return all.filter((opening) => opening.startsWith(`${namespace}/`));
  }

  /** Waits until the policy reports one problem, of this reason: others may come before all objects have been seen. */
  async function problems(namespace: string, name: string, reason: string): Promise<Problems> {
    const status = await cluster.settles(
      namespace,
      name,
      ({ problems: told = [] }) => told.length === 1 && told[0]?.reason === reason,
    );
    return (status.problems ?? []).map(({ reason, capability, message = '' }) => ({
      reason,
      ...(capability === undefined ? {} : { capability }),
      message,
    }));
  }

  async function createAgents(
    namespace: string,
    agents: Readonly<Record<string, AgentIdentity['spec']>>,
  ): Promise<void> {
    for (const [name, spec] of Object.entries(agents)) await swarm().createAgent(name, spec, namespace);
  }

  function applied(namespace: string, ...manifests: readonly Manifest[]): Promise<void> {
    return cluster.apply(namespace, ...manifests);
  }

  async function messageOfReady(namespace: string, name: string, reason: string): Promise<string> {
    const { status } = await swarm().ready(name, reason, { namespace });
    return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  }

  describe('policies that widen', () => {
    before(() =>
      createAgents('widening', {
        coordinator: serving([GET, STAGING]),
        user: serving([{ ...GET, use: 'Invoke' }, STAGING]),
        deployer: serving([GET, EVERYWHERE, { name: 'read_file' }]),
        analyst: serving([{ name: 'read_file' }]),
      }),
    );

    it('(a) pass on nothing that the delegating agent does not hold', async () => {
      await applied('widening', policy('lacking', { capabilities: [{ name: 'read_file' }] }));
      expect(await problems('widening', 'lacking', 'NotInCeilingOfFrom')).to.deep.equal([
        {
          reason: 'NotInCeilingOfFrom',
          capability: 'read_file',
          message:
            'rules[0]: widening/coordinator does not hold read_file: add it to spec.capabilities of AgentIdentity widening/coordinator, or take it out of the rule',
        },
      ]);
      expect(await open('widening')).to.deep.equal([]);
    });

    it('(a) pass on nothing that it holds to use alone', async () => {
      await applied('widening', policy('using', { from: 'user' }));
      const [problem] = await problems('widening', 'using', 'NotInCeilingOfFrom');
      expect(problem?.message).to.contain(
        'widening/user holds kubectl_get for Invoke only and may not pass it on',
      );
      expect(await open('widening')).to.deep.equal([]);
    });

    it('(a) pass a resource on no further than it holds it', async () => {
      await applied(
        'widening',
        policy('further', { capabilities: [{ ...EVERYWHERE, resources: ['namespaces/prod/*'] }] }),
      );
      const [problem] = await problems('widening', 'further', 'NotInCeilingOfFrom');
      expect(problem?.message).to.contain('namespaces/prod/*');
      expect(await open('widening')).to.deep.equal([]);
    });

    it('(b) give nothing to targets that hold nothing of it', async () => {
      await applied('widening', policy('idle', { to: ['analyst'] }));
      const [problem] = await problems('widening', 'idle', 'NotInAnyCeiling');
      expect(problem?.message).to.contain('widening/analyst').and.to.contain('kubectl_get');
      expect(await open('widening')).to.deep.equal([]);
    });

    it('and what is granted beside it is granted all the same', async () => {
      await applied('widening', policy('mixed', { capabilities: [GET, { name: 'read_file' }] }));
      expect(
        (await problems('widening', 'mixed', 'NotInCeilingOfFrom')).map(({ capability }) => capability),
      ).to.deep.equal(['read_file']);
      expect(await open('widening')).to.deep.equal(['widening/coordinator > widening/deployer: kubectl_get']);
    });
  });

  describe('what exceeds a boundary', () => {
    before(async () => {
      await applied(
        'bounded',
        boundary('limit', {
          namespaceSelector: { matchLabels: { team: 'bounded' } },
          capabilities: [GET, STAGING],
        }),
      );
      await createAgents('bounded', {
        coordinator: serving([GET, EVERYWHERE, { name: 'read_file' }]),
        deployer: serving([GET, EVERYWHERE, { name: 'read_file' }]),
      });
    });

    it('(c) is not granted by a policy', async () => {
      await applied('bounded', policy('outside', { capabilities: [{ name: 'read_file' }] }));
      const [problem] = await problems('bounded', 'outside', 'OutsideBoundary');
      expect(problem?.message).to.contain('limit');
      expect(await open('bounded')).to.deep.equal([]);
    });

    it('(c) is not granted on other resources', async () => {
      await applied(
        'bounded',
        policy('beyond', { capabilities: [{ ...EVERYWHERE, resources: ['namespaces/prod/*'] }] }),
      );
      await problems('bounded', 'beyond', 'OutsideBoundary');
      expect(await open('bounded')).to.deep.equal([]);
    });

    it('is not held by raising a ceiling', async () => {
      await cluster.change('bounded', 'coordinator', serving([{ name: 'root' }, { name: 'read_file' }]));
      await cluster.change('bounded', 'deployer', serving([{ name: 'root' }, { name: 'read_file' }]));
      await applied('bounded', policy('raised', { capabilities: [{ name: 'root' }] }));
      await problems('bounded', 'raised', 'OutsideBoundary');
      expect(await open('bounded')).to.deep.equal([]);
    });
  });

  describe('whom an identity names', () => {
    it('is not taken from the older identity on the same ServiceAccount', async () => {
      await createAgents('shared', { victim: serving([GET]), deployer: serving([GET]) });
      const { metadata } = await swarm().ready('victim', 'Issued', { namespace: 'shared' });
      await eventually(
        'the next second',
        () => Date.now() > Date.parse(metadata.creationTimestamp ?? '') + 1_100,
      );
      await applied(
        'shared',
        identity('thief', serving([GET, EVERYWHERE], { serviceAccountName: 'victim' })),
        policy('of-thief', { from: 'thief' }),
      );
      expect(await messageOfReady('shared', 'thief', 'ServiceAccountTaken')).to.equal(
        'ServiceAccount shared/victim is the identity of the older AgentIdentity victim. Create a ServiceAccount for this agent alone and a new AgentIdentity that names it.',
      );
      await problems('shared', 'of-thief', 'GrantsNothing');
      expect(await open('shared')).to.deep.equal([]);
      expect(await swarm().secret('thief-tls', 'shared')).to.equal(undefined);
      expect(await swarm().secret('victim-tls', 'shared')).to.be.an('object');
    });

    it('gets no certificate for names of another namespace', async () => {
      await createAgents('named', {
        pretender: { certificate: { dnsNames: ['victim.shared.svc', 'login.example.org'] } },
      });
      expect(await messageOfReady('named', 'pretender', 'InvalidSpec')).to.equal(
        'spec.certificate.dnsNames: "victim.shared.svc" is no DNS name of this namespace. Use lower-case names without wildcard that end in .named.svc or .named.svc.cluster.local, or leave it out.',
      );
      expect(await swarm().secret('pretender-tls', 'named')).to.equal(undefined);
    });

    it('does not write over the Secret of somebody else', async () => {
      await swarm().ready('victim', 'Issued', { namespace: 'shared' });
      const before = await swarm().secret('victim-tls', 'shared');
      await createAgents('shared', { claimant: { certificate: { secretName: 'victim-tls' } } });
      expect(await messageOfReady('shared', 'claimant', 'SecretConflict')).to.contain('shared/victim-tls');
      expect((await swarm().secret('victim-tls', 'shared'))?.data).to.deep.equal(before?.data);
    });

    it('is not let in as a caller when it is an agent', async () => {
      await createAgents('named', {
        insider: serving([GET]),
        lenient: serving([GET], {
          callers: [{ serviceAccounts: ['named/insider'], ports: [8443], paths: ['/v1/kubectl_apply'] }],
        }),
      });
      expect(await messageOfReady('named', 'lenient', 'InvalidSpec')).to.contain(
        'spec.callers[0].serviceAccounts[0] named/insider is the identity of an agent',
      );
      expect(await swarm().secret('lenient-tls', 'named')).to.equal(undefined);
      expect(await open('named')).to.deep.equal([]);
    });

    for (const namespace of ['kube-system', 'agent-trust-system']) {
      it(`is no agent in ${namespace}`, async () => {
        await createAgents(namespace, { coordinator: serving([GET]), deployer: serving([GET]) });
        await applied(namespace, policy('planning', {}));
        expect(await messageOfReady(namespace, 'coordinator', 'NamespaceNotGoverned')).to.equal(
          `Namespace ${namespace} holds no agents: it belongs to Kubernetes or to the operator itself. Move the agent to another namespace.`,
        );
        await cluster.settles(
          namespace,
          'planning',
          (_, { Accepted }) => Accepted === 'False NamespaceNotGoverned',
        );
        expect(await swarm().secret('coordinator-tls', namespace)).to.equal(undefined);
        expect(await mesh.policies([namespace])).to.deep.equal([]);
      });
    }

    it('gains nothing from an agent that has not consented', async () => {
      await createAgents('far', { librarian: serving([GET]) });
      await createAgents('consent', { coordinator: serving([GET]) });
      await applied('consent', policy('uninvited', { to: ['far/librarian'] }));
      await problems('consent', 'uninvited', 'NotAccepted');
      expect(await open('consent')).to.deep.equal([]);
    });
  });

  it('enforcement that was turned off is not silent', async () => {
    await createAgents('dry', { lax: serving([GET], { enforcement: 'DryRun' }) });
    const { status } = await swarm().ready('lax', 'Issued', { namespace: 'dry' });
    const enforced = status?.conditions?.find(({ type }) => type === 'Enforced');
    expect([enforced?.status, enforced?.reason]).to.deep.equal(['False', 'DryRun']);
  });

  describe('what the schema would refuse', () => {
    before(async () => {
      await createAgents('loose', {
        coordinator: serving([GET, STAGING]),
        deployer: serving([GET, STAGING]),
      });
      await applied('loose', policy('planning', {}));
      await cluster.settles('loose', 'planning', ({ edgeCount }) => edgeCount === 1);
      for (const type of [AGENT_IDENTITY, DELEGATION_POLICY]) await loosen(type);
    });

    /** Lets anything be stored as the spec of a kind. */
    async function loosen({ plural, group }: ResourceType): Promise<void> {
      const crd = typeOf('CustomResourceDefinition');
      const name = `${plural}.${group}`;
      type Stored = KubeObject & {
        spec: { versions: [{ schema: { openAPIV3Schema: { properties: { status: object } } } }] };
      };
      const { metadata, spec } = await swarm().client.get<Stored>(crd, { name });
      const [version] = spec.versions;
      const { status } = version.schema.openAPIV3Schema.properties;
      const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      const schema = { openAPIV3Schema: { type: 'object', properties: { spec: anything, status } } };
      const { name: _, ...rest } = metadata;
      await swarm().client.replace<KubeObject & { spec: object }>(crd, {
        metadata: { name, ...rest },
        spec: { ...spec, versions: [{ ...version, schema }] },
      });
      await eventually('anything to be taken', async () => {
        const probe = { metadata: { name: 'probe', namespace: 'loose' }, spec: { nonsense: true } };
        const stored = await swarm().client.create<KubeObject & { spec: { nonsense?: boolean } }>(
          type(plural),
          probe,
        );
        await swarm().client.delete(type(plural), { namespace: 'loose', name: 'probe' });
        return stored.spec.nonsense;
      });
    }

    function type(plural: string): ResourceType {
      return plural === AGENT_IDENTITY.plural ? AGENT_IDENTITY : DELEGATION_POLICY;
    }

    async function store(kind: ResourceType, name: string, spec: object): Promise<void> {
      await swarm().client.create<KubeObject & { spec: object }>(kind, {
        metadata: { name, namespace: 'loose' },
        spec,
      });
    }

    const IDENTITIES: Readonly<Record<string, readonly [object, string]>> = {
      'the ServiceAccount that every pod shares': [
        { serviceAccountName: 'default' },
        'spec.serviceAccountName',
      ],
      'a certificate for a year': [{ certificate: { duration: '8760h' } }, 'spec.certificate.duration'],
      'a resource that climbs': [
        { capabilities: [{ name: 'kubectl_get', resources: ['/data/../payroll'] }] },
        'spec.capabilities[0].resources[0]',
      ],
      'a resource in disguise': [
        { capabilities: [{ name: 'kubectl_get', resources: ['/data/%2e%2e/payroll'] }] },
        'spec.capabilities[0].resources[0]',
      ],
      'a capability for all': [{ capabilities: [{ name: '*' }] }, 'spec.capabilities[0].name'],
      'an unknown use': [
        { capabilities: [{ name: 'kubectl_get', use: 'Both' }] },
        'spec.capabilities[0].use',
      ],
      'a capability twice': [
        { capabilities: [{ name: 'kubectl_get', resources: ['/data/a'] }, { name: 'kubectl_get' }] },
        'spec.capabilities',
      ],
      'an unknown enforcement': [{ enforcement: 'Off' }, 'spec.enforcement'],
      'a caller on every path': [
        { callers: [{ serviceAccounts: ['x/y'], ports: [8443], paths: ['/*'] }] },
        'spec.callers[0].paths[0]',
      ],
      'a route for anything': [
        { server: { routes: [{ method: '*', path: '/v1/x' }] } },
        'spec.server.routes[0].method',
      ],
      'a token for a day': [{ tokens: { maxTTL: '24h' } }, 'spec.tokens.maxTTL'],
      'a key that is too short': [
        { certificate: { privateKey: { algorithm: 'RSA', size: 512 } } },
        'spec.certificate.privateKey',
      ],
    };

    Object.entries(IDENTITIES).forEach(([what, [spec, field]], index) => {
      it(`gives an identity with ${what} no certificate`, async () => {
        const name = `loose-${index}`;
        await swarm().client.create(SERVICE_ACCOUNT, { metadata: { name, namespace: 'loose' } });
        await store(AGENT_IDENTITY, name, spec);
        expect(await messageOfReady('loose', name, 'InvalidSpec')).to.contain(field);
        expect(await swarm().secret(`${name}-tls`, 'loose')).to.equal(undefined);
      });
    });

    const rule = { from: 'coordinator', to: ['deployer'], capabilities: [STAGING] };
    const POLICIES: Readonly<Record<string, readonly [object, string]>> = {
      'chains of any length': [{ maxDepth: 99, rules: [rule] }, 'spec.maxDepth'],
      'tokens for a day': [
        { rules: [{ ...rule, tokens: { maxTTL: '24h' } }] },
        'spec.rules[0].tokens.maxTTL',
      ],
      'tokens for any use': [
        { rules: [{ ...rule, tokens: { maxUses: 1000 } }] },
        'spec.rules[0].tokens.maxUses',
      ],
      'a resource that climbs': [
        { rules: [{ ...rule, capabilities: [{ ...STAGING, resources: ['namespaces/staging/../prod'] }] }] },
        'spec.rules[0].capabilities[0].resources[0]',
      ],
      'the delegating agent as target': [
        { rules: [{ ...rule, to: ['coordinator'] }] },
        'spec.rules[0].to[0]',
      ],
      'a capability for all': [
        { rules: [{ ...rule, capabilities: [{ name: '*' }] }] },
        'spec.rules[0].capabilities[0].name',
      ],
    };

    Object.entries(POLICIES).forEach(([what, [spec, field]], index) => {
      it(`grants nothing by a policy with ${what}`, async () => {
        const name = `loose-${index}`;
        await store(DELEGATION_POLICY, name, spec);
        const status = await cluster.settles(
          'loose',
          name,
          (_, { Accepted }) => Accepted === 'False InvalidSpec',
        );
        expect(status.conditions?.find(({ type }) => type === 'Accepted')?.message).to.contain(field);
        expect(await open('loose')).to.deep.equal(['loose/coordinator > loose/deployer: kubectl_get']);
      });
    });
  });
});
