/**
 * What is rendered for the running example is enforced: by a real Envoy with the filters that Istio's own builder makes of
 * it, for calls over mutual TLS with certificates of our own authority.
 */

import { expect } from 'chai';
import { planKill } from '../../../src/domain/mesh/kill.ts';
import type { MeshFacts, MeshObject, MeshTarget } from '../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { atOnce } from '../../support/mesh/at-once.ts';
import type { MeshCall } from '../../support/mesh/mesh-client.ts';
import { AUTHORIZER, PORTS, type Scene, TRUST_DOMAIN, VERIFIED } from '../../support/mesh/mesh-scene.ts';
import { targetsOf } from '../../support/mesh/mesh-world.ts';
import { type PolicyObject, ROOT_NAMESPACE } from '../../support/mesh/policy-object.ts';
import { SWARM, swarmWorld } from '../../support/mesh/swarm-world.ts';
import { callAll, useScenes } from '../../support/mesh/use-scenes.ts';

const WORKERS = 8;
const SIDECAR: MeshFacts = { trustDomain: TRUST_DOMAIN, servesIstio: true, dataPlane: 'sidecar' };
const DEPLOYER = `${TRUST_DOMAIN}/ns/${SWARM.deployer.namespace}/sa/${SWARM.deployer.serviceAccountName}`;

const CALLS: readonly MeshCall[] = ['GET', 'POST'].flatMap((method) =>
  ['/v1/delegate', '/v1/reports/q3', '/healthz', '/metrics', '/'].map((path) => ({ method, path })),
);

const EDGES: readonly string[] = [
  'coordinator > analyst: POST 8443/v1/delegate',
  'coordinator > deployer: POST 8443/v1/delegate',
  'coordinator > writer: POST 8443/v1/delegate',
  'deployer > validator: POST 8443/v1/delegate',
];

const ALLOW_ALL: PolicyObject = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'foreign', namespace: SWARM.deployer.namespace },
  spec: { action: 'ALLOW', rules: [{}] },
};

describe('the running example behind a real Envoy', () => {
  const targets = targetsOf(swarmWorld());
  const rendered = objectsOf(targets, SIDECAR);
  const kill = planKill([DEPLOYER], { rootNamespace: ROOT_NAMESPACE, trustDomain: TRUST_DOMAIN, labels: {} });
  const variants = {
    plain: rendered,
    verified: objectsOf(targets, { ...SIDECAR, authorizerProvider: AUTHORIZER }),
    killed: [...rendered, kill],
    foreign: [...rendered, ALLOW_ALL],
    dry: objectsOf(
      targets.map((target) => ({ ...target, state: 'dry-run' })),
      SIDECAR,
    ),
  };
  const scenes = useScenes(() =>
    Object.values(variants).map((objects): Scene => ({ objects, pods: Object.values(SWARM) })),
  );

  /** All that reaches an application when every agent makes every call to every agent, sorted. */
  async function done(
    variant: keyof typeof variants,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<readonly string[]> {
    const agents = Object.entries(SWARM);
    const tries = agents.flatMap((from) => agents.flatMap((to) => PORTS.map((port) => ({ from, to, port }))));
    const reached: string[] = [];
    await atOnce(WORKERS, tries, async ({ from, to, port }) => {
      const place = { scene: Object.keys(variants).indexOf(variant), pod: to[1], port };
      const identity = await scenes().identity(from[1]);
      const calls = CALLS.map((call) => ({ ...call, headers }));
      const answers = await callAll(scenes(), { place, identity }, calls);
      const through = CALLS.filter((_, at) => answers[at]?.kind === 'done');
      const edge = `${from[0]} > ${to[0]}`;
      reached.push(...through.map(({ method, path }) => `${edge}: ${method} ${port}${path}`));
    });
    return reached.sort();
  }

  it('lets the coordinator call three specialists, the deployer the validator, and nobody else anything', async () => {
    expect(await done('plain')).to.deep.equal(EDGES);
  });

  it('asks the external authorizer about each call, and does not take its yes for an edge', async () => {
    expect(await done('verified')).to.deep.equal([]);
    expect(await done('verified', VERIFIED)).to.deep.equal(EDGES);
  });

  it('cuts a killed agent off from everybody it may call', async () => {
    expect(await done('killed')).to.deep.equal(EDGES.filter((edge) => !edge.startsWith('deployer')));
  });

  it('opens nothing to others where a foreign policy allows everything', async () => {
    const pairOf = (call: string): string => call.slice(0, call.indexOf(':'));
    const pairs = new Set((await done('foreign')).map(pairOf));
    expect([...pairs]).to.deep.equal(EDGES.map(pairOf));
  });

  it('refuses nobody in a dry run', async () => {
    const all = Object.keys(SWARM).length ** 2 * PORTS.length * CALLS.length;
    expect(await done('dry')).to.have.length(all);
  });
});

function objectsOf(targets: readonly MeshTarget[], facts: MeshFacts): readonly MeshObject[] {
  return targets.flatMap((target) => Object.values(planMesh(target, facts).objects));
}
