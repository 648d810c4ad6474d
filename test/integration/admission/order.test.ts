/** Manifests that are each admitted end in the same edges and the same status, whatever the order in which they are applied. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import type { DelegationPolicy } from '../../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { AgentId, WithheldReason } from '../../../src/domain/delegation/facts.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { type AdmissionCluster, useAdmissionCluster } from '../../support/admission/admission-cluster.ts';
import { apply, type Manifest } from '../../support/admission/request.ts';
import {
  type Opening,
  openInMesh,
  openInWorld,
  serving,
  worldOnServer,
} from '../../support/admission/server-world.ts';
import { eventually } from '../../support/eventually.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { Swarm } from '../../support/swarm.ts';

const GET = { name: 'kubectl_get' };
const READ = { name: 'read_file' };
const SAMPLE = 24;
/** Every so many permutations of the six manifests below one is taken. */
const STEP = 720 / SAMPLE;
const ORDERS: readonly string[] = Array.from({ length: SAMPLE }, (_, index) => `order-${index}`);

/** One set of manifests: two specialists, one of which lacks a capability, a policy that uses both, a limit, a second policy. */
function manifestsOf(namespace: string): readonly Manifest[] {
  return [
    agent(namespace, 'coordinator', serving([GET, READ])),
    agent(namespace, 'deployer', serving([GET])),
    agent(namespace, 'analyst', serving([GET, READ])),
    delegation(namespace, 'plan', {
      from: 'coordinator',
      to: ['deployer', 'analyst'],
      capabilities: [GET, READ],
    }),
    delegation(namespace, 'check', { from: 'deployer', to: ['analyst'], capabilities: [GET] }),
    {
      kind: 'CapabilityBoundary',
      metadata: { name: namespace },
      spec: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        capabilities: [GET, READ],
        maxDepth: 2,
      },
    },
  ];
}

describe('the order in which manifests are applied', () => {
  const cluster = useAdmissionCluster({ governed: ORDERS });
  let admin: AdminClient;
  const said: { readonly openings: readonly Opening[]; readonly status: unknown }[] = [];

  before(async () => {
    admin = await adminClient(cluster().controlPlane);
    const mesh = new MeshCluster(new Swarm(admin));
    await Promise.all(ORDERS.map((namespace) => mesh.label({ 'istio-injection': 'enabled' }, namespace)));
    const all = permutations([0, 1, 2, 3, 4, 5]);
    for (const [index, namespace] of ORDERS.entries()) {
      const manifests = manifestsOf(namespace);
      for (const at of all[index * STEP] ?? []) {
        const manifest = manifests[at];
        if (manifest !== undefined) await admitted(cluster(), manifest);
      }
    }
    await eventually(
      'every agent to be ready',
      async () => {
        const { items } = await admin.client.list<AgentIdentity>(AGENT_IDENTITY);
        const reasons = items.map(
          ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason,
        );
        expect(new Set(reasons)).to.deep.equal(new Set(['Issued']));
        return items.length === 3 * SAMPLE;
      },
      { timeoutMs: 120_000 },
    );
    for (const namespace of ORDERS) said.push(await settled(namespace, mesh));
  });
  after(() => admin?.close());

  /** What is open and what the policies say, once the walls are as the objects say. */
  async function settled(
    namespace: string,
    mesh: MeshCluster,
  ): Promise<{ readonly openings: readonly Opening[]; readonly status: unknown }> {
    return eventually(`${namespace} to settle`, async () => {
      const whole = await worldOnServer(admin.client, [namespace]);
      const world = { ...whole, agents: whole.agents.filter((each) => each.namespace === namespace) };
      const accountOf = (id: AgentId): string => id.slice(id.indexOf('/') + 1);
      const openings = openInMesh(world, await mesh.policies([namespace]), accountOf);
      expect(openings).to.deep.equal(openInWorld(world));
      const { items } = await admin.client.list<DelegationPolicy>(DELEGATION_POLICY, { namespace });
      const status = items.map(
        ({ metadata, status: { conditions = [], observedGeneration, ...rest } = {} }) => {
          expect(observedGeneration).to.equal(metadata.generation);
          return [
            metadata.name,
            conditions.map(({ type, status: value, reason, message }) => [type, value, reason, message]),
            rest,
          ];
        },
      );
      const text = JSON.stringify({ openings, status }).replaceAll(namespace, 'here');
      expect(text)
        .to.not.include('Pending')
        .and.not.include('NotFound' satisfies WithheldReason);
      return JSON.parse(text);
    });
  }

  it('makes no difference to who may have whom do what', () => {
    expect(said[0]?.openings).to.deep.equal([
      'here/coordinator > here/analyst: kubectl_get',
      'here/coordinator > here/analyst: read_file',
      'here/coordinator > here/deployer: kubectl_get',
      'here/deployer > here/analyst: kubectl_get',
    ]);
    for (const each of said) expect(each.openings).to.deep.equal(said[0]?.openings);
    expect(said).to.have.length(SAMPLE);
  });

  it('makes no difference to what the policies say of themselves', () => {
    for (const each of said) expect(each.status).to.deep.equal(said[0]?.status);
  });
});

function agent(namespace: string, name: string, spec: AgentIdentity['spec']): Manifest {
  return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
}

function delegation(namespace: string, name: string, rule: object): Manifest {
  return { kind: 'DelegationPolicy', metadata: { name, namespace }, spec: { rules: [rule] } };
}

async function admitted(cluster: AdmissionCluster, manifest: Manifest): Promise<void> {
  const { namespace, name = '' } = manifest.metadata;
  if (manifest.kind === 'AgentIdentity' && namespace !== undefined)
    await cluster.make({ kind: 'ServiceAccount', metadata: { namespace, name } });
  const answer = await cluster.ask(apply(manifest));
  if (!('warnings' in answer)) throw new Error(`${manifest.kind} ${name}: ${answer.by}: ${answer.says}`);
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
