/** What is rendered is taken by a real API server with Istio's own schemas and rules, and kept as it was sent. */

import { expect } from 'chai';
import { after, before } from 'mocha';
import { planKill } from '../../../src/domain/mesh/kill.ts';
import type { DataPlane, MeshFacts, MeshObject, MeshTarget } from '../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { NAMESPACE } from '../../../src/kube/core-types.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { atOnce } from '../../support/mesh/at-once.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { randomMeshWorld, targetsOf } from '../../support/mesh/mesh-world.ts';
import { swarmWorld } from '../../support/mesh/swarm-world.ts';
import { Dice } from '../../support/random-world.ts';

const ROOT_NAMESPACE = 'istio-system';
const WORKERS = 16;
const STATES: readonly MeshTarget['state'][] = ['enforce', 'dry-run', 'closed', 'killed', 'tombstone'];
const PLANES: readonly DataPlane[] = ['none', 'sidecar', 'ambient', 'waypoint'];

const TYPES: Readonly<Record<MeshObject['kind'], ResourceType>> = {
  AuthorizationPolicy: istio('authorizationpolicies', 'AuthorizationPolicy'),
  PeerAuthentication: istio('peerauthentications', 'PeerAuthentication'),
  NetworkPolicy: {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
  },
};

type Stored = KubeObject & Pick<MeshObject, 'spec'>;

describe('rendered objects on an API server with the CRDs of Istio', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;

  before(async () => {
    admin = await adminClient(controlPlane());
    await applyIstioCrds(controlPlane());
    for (const name of ['ai-agents', 'north', 'south', ROOT_NAMESPACE]) {
      await admin.client.create(NAMESPACE, { metadata: { name } });
    }
    await eventually('the kinds to be served', () => admin.client.list(TYPES.AuthorizationPolicy));
  });
  after(() => admin?.close());

  function send({ kind, metadata, spec }: MeshObject): Promise<Stored> {
    return admin.client.apply<Stored>(TYPES[kind], { metadata, spec });
  }

  /** Sends all objects; what was refused, or stored as something else. */
  async function problems(objects: readonly MeshObject[]): Promise<readonly string[]> {
    const found: string[] = [];
    await atOnce(WORKERS, objects, async (object) => {
      try {
        const { spec } = await send(object);
        expect(spec).to.deep.equal(JSON.parse(JSON.stringify(object.spec)));
      } catch (error) {
        found.push(`${JSON.stringify(object)}: ${error instanceof Error ? error.message : error}`);
      }
    });
    return found;
  }

  it('are taken and kept for the running example in every state on every data plane', async () => {
    const targets = targetsOf(swarmWorld());
    for (const state of STATES) {
      for (const dataPlane of PLANES) {
        const objects = render(targets, state, factsOf(dataPlane));
        expect((await problems(objects)).slice(0, 3), `${state} ${dataPlane}`).to.deep.equal([]);
      }
    }
  });

  it('are taken and kept for 100 random graphs', async () => {
    let count = 0;
    for (let seed = 0; seed < 100; seed++) {
      const targets = targetsOf(randomMeshWorld(new Dice(seed), 8));
      const state = seed % 2 === 0 ? 'enforce' : (STATES[((seed - 1) / 2) % STATES.length] ?? 'enforce');
      const dataPlane = PLANES[seed % PLANES.length] ?? 'none';
      // the agents of all graphs have the same names, so one graph after the other
      for (const plane of new Set<DataPlane>(['sidecar', dataPlane])) {
        const objects = render(targets, state, factsOf(plane));
        count += objects.length;
        expect((await problems(objects)).slice(0, 3), `seed ${seed}, ${plane}`).to.deep.equal([]);
      }
    }
    expect(count).to.be.greaterThan(2000);
  });

  it('are taken for as many callers and routes as a target can have', async () => {
    const [target] = targetsOf(swarmWorld());
    if (target === undefined) throw new Error('the swarm has no agents');
    const delegators = Array.from({ length: 600 }, (_, index) => ({
      namespace: 'ai-agents',
      serviceAccountName: `caller-${index}`,
      capabilities: [`c-${index % 64}`, `c-${(index * 7) % 64}`],
    }));
    const routes = Array.from({ length: 64 }, (_, index) => ({
      method: 'POST',
      path: `/v1/tools/${index}`,
      capability: `c-${index}`,
    }));
    const objects = render([{ ...target, delegators, routes }], 'enforce', factsOf('sidecar'));
    expect(await problems(objects)).to.deep.equal([]);
  });

  it('are taken in the root namespace, with and without killed agents', async () => {
    const place = { rootNamespace: ROOT_NAMESPACE, trustDomain: 'example.org', labels: {} };
    const killed = ['example.org/ns/ai-agents/sa/agent-deployer-sa'];
    expect(await problems([planKill([], place), planKill(killed, place)])).to.deep.equal([]);
  });

  describe('which refuses', () => {
    const source = { principals: ['example.org/ns/a/sa/b'] };
    const selector = { matchLabels: { app: 'x' } };
    const refused: Readonly<Record<string, object>> = {
      'an unknown action': { selector, action: 'PERMIT' },
      'an unknown field': { selector, rule: [] },
      'a selector beside targetRefs': { selector, targetRefs: [{ kind: 'Service', name: 'x', group: '' }] },
      'service accounts beside principals': {
        selector,
        rules: [{ from: [{ source: { ...source, serviceAccounts: ['a/b'] } }] }],
      },
      'more than 512 rules': { selector, rules: Array.from({ length: 513 }, () => ({ from: [{ source }] })) },
    };
    for (const [what, spec] of Object.entries(refused)) {
      it(what, async () => {
        const metadata = { name: 'bad', namespace: 'ai-agents', labels: {}, annotations: {} };
        const object: Stored = { metadata, spec: { ...spec } };
        const error = await admin.client.create(TYPES.AuthorizationPolicy, object).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(isKubeError(error) && error.code).to.match(/^KUBE_(INVALID|BAD_REQUEST)/);
      });
    }
  });
});

function factsOf(dataPlane: DataPlane): MeshFacts {
  return { trustDomain: 'example.org', servesIstio: true, dataPlane, authorizerProvider: 'agent-trust' };
}

function render(
  targets: readonly MeshTarget[],
  state: MeshTarget['state'],
  facts: MeshFacts,
): readonly MeshObject[] {
  return targets.flatMap((target) => Object.values(planMesh({ ...target, state }, facts).objects));
}

function istio(plural: string, kind: string): ResourceType {
  return { group: 'security.istio.io', version: 'v1', plural, kind, namespaced: true };
}
