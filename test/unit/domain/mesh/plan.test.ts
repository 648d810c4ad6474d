import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshFacts, MeshObjects, MeshTarget } from '../../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { Dice } from '../../../support/random-world.ts';
import { DEPLOYER, randomFacts, randomTarget, SIDECAR } from './fixture.ts';

const SELECTOR = { matchLabels: { 'agenttrust.dev/identity': 'agent-deployer-sa' } };
const COORDINATOR = 'example.org/ns/ai-agents/sa/agent-coordinator-sa';
const NOBODY = 'example.org/ns/-/sa/-';
const GATEWAY = {
  accounts: [{ namespace: 'istio-ingress', serviceAccountName: 'gateway' }],
  ports: [8443],
  methods: ['GET'],
  paths: ['/healthz'],
};
const ROUNDS = 300;

function specs(target: MeshTarget, facts: MeshFacts = SIDECAR): Readonly<Record<string, unknown>> {
  const { objects } = planMesh(target, facts);
  return Object.fromEntries(Object.entries(objects).map(([role, { spec }]) => [role, spec]));
}

function shuffled<T>(dice: Dice, list: readonly T[]): readonly T[] {
  const left = [...list];
  return list.flatMap(() => left.splice(dice.below(left.length), 1));
}

function all(objects: MeshObjects): readonly NonNullable<MeshObjects[keyof MeshObjects]>[] {
  return Object.values(objects);
}

describe('planMesh', () => {
  it('renders the running example: the coordinator may call the deployer on its one route', () => {
    expect(specs(DEPLOYER)).to.deep.equal({
      allow: {
        selector: SELECTOR,
        action: 'ALLOW',
        rules: [
          {
            from: [{ source: { principals: [COORDINATOR] } }],
            to: [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }],
          },
        ],
      },
      fence: {
        selector: SELECTOR,
        action: 'DENY',
        rules: [{ from: [{ source: { notPrincipals: [COORDINATOR] } }] }],
      },
      mtls: { selector: SELECTOR, mtls: { mode: 'STRICT' } },
      net: {
        podSelector: SELECTOR,
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ai-agents' } },
                podSelector: { matchLabels: { 'agenttrust.dev/identity': 'agent-coordinator-sa' } },
              },
            ],
            ports: [{ protocol: 'TCP', port: 8443 }],
          },
        ],
      },
    });
  });

  it('rule 1: keeps an ALLOW without rules for an agent that nobody may call', () => {
    expect(specs({ ...DEPLOYER, delegators: [] })).to.deep.equal({
      allow: { selector: SELECTOR, action: 'ALLOW' },
      fence: {
        selector: SELECTOR,
        action: 'DENY',
        rules: [{ from: [{ source: { notPrincipals: [NOBODY] } }] }],
      },
      mtls: { selector: SELECTOR, mtls: { mode: 'STRICT' } },
      net: { podSelector: SELECTOR, policyTypes: ['Ingress'] },
    });
  });

  for (const state of ['closed', 'killed', 'tombstone'] as const) {
    it(`lets nobody in when ${state}, whoever may delegate`, () => {
      const { allow, net } = specs({ ...DEPLOYER, state, callers: [GATEWAY] });
      expect(allow).to.deep.equal({ selector: SELECTOR, action: 'ALLOW' });
      const policyTypes = state === 'closed' ? ['Ingress'] : ['Ingress', 'Egress'];
      expect(net).to.deep.equal({ podSelector: SELECTOR, policyTypes });
    });
  }

  it('opens a route with a capability only to delegators of it, in one rule for each set of operations', () => {
    const delegator = (serviceAccountName: string, capabilities: readonly string[]) => ({
      namespace: 'ai-agents',
      serviceAccountName,
      capabilities,
    });
    const target: MeshTarget = {
      ...DEPLOYER,
      routes: [
        { method: 'POST', path: '/v1/delegate' },
        { method: 'POST', path: '/v1/reports/{name}', capability: 'query_database' },
      ],
      delegators: [
        delegator('a', ['query_database']),
        delegator('b', ['other']),
        delegator('c', ['query_database']),
      ],
    };
    expect((specs(target)['allow'] as { rules: unknown }).rules).to.deep.equal([
      {
        from: [{ source: { principals: ['example.org/ns/ai-agents/sa/b'] } }],
        to: [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }],
      },
      {
        from: [
          { source: { principals: ['example.org/ns/ai-agents/sa/a', 'example.org/ns/ai-agents/sa/c'] } },
        ],
        to: [
          { operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate', '/v1/reports/{*}'] } },
        ],
      },
    ]);
  });

  it('lets callers that are no agents in on their paths, past the authorizer', () => {
    const { allow, verify, fence } = specs(
      { ...DEPLOYER, callers: [GATEWAY] },
      { ...SIDECAR, authorizerProvider: 'agent-trust' },
    );
    expect((allow as { rules: readonly unknown[] }).rules).to.deep.include({
      from: [{ source: { principals: ['example.org/ns/istio-ingress/sa/gateway'] } }],
      to: [{ operation: { ports: ['8443'], methods: ['GET'], paths: ['/healthz'] } }],
    });
    expect(verify).to.deep.equal({
      selector: SELECTOR,
      action: 'CUSTOM',
      provider: { name: 'agent-trust' },
      rules: [{ to: [{ operation: { ports: ['8443'], notPaths: ['/healthz'] } }] }],
    });
    expect(JSON.stringify(fence)).to.include('istio-ingress/sa/gateway');
  });

  it('never lets a caller past the token: a path that is a route, and an agent, are left out', () => {
    const [agent] = DEPLOYER.delegators;
    const bad = [
      { ...GATEWAY, paths: ['/v1/delegate'] },
      { ...GATEWAY, paths: ['/v1/{*}'] },
      { ...GATEWAY, accounts: agent === undefined ? [] : [agent] },
    ];
    for (const caller of bad) {
      const { objects, notes } = planMesh({ ...DEPLOYER, callers: [caller] }, SIDECAR);
      expect(objects).to.deep.equal(planMesh(DEPLOYER, SIDECAR).objects);
      expect(notes.map(({ reason }) => reason)).to.deep.equal(['CallerIgnored']);
    }
  });

  it('rule 7: asks ztunnel for who calls and the port alone, and says so', () => {
    const { objects, notes } = planMesh(
      { ...DEPLOYER, callers: [GATEWAY] },
      { ...SIDECAR, dataPlane: 'ambient', authorizerProvider: 'agent-trust' },
    );
    expect(objects.verify).to.equal(undefined);
    expect(JSON.stringify(objects.allow?.spec)).to.not.match(/methods|paths/);
    expect(JSON.stringify(objects.net?.spec)).to.include('15008').and.to.include('169.254.7.127/32');
    expect(notes.map(({ reason }) => reason)).to.deep.equal(['LayerFourOnly']);
  });

  it('closes a target behind a waypoint, and says so', () => {
    const { objects, notes } = planMesh(DEPLOYER, { ...SIDECAR, dataPlane: 'waypoint' });
    expect(objects.allow?.spec).to.deep.equal({ selector: SELECTOR, action: 'ALLOW' });
    expect(notes.map(({ reason }) => reason)).to.deep.equal(['WaypointNotYet']);
  });

  it('renders a NetworkPolicy alone where there is no Istio', () => {
    expect(Object.keys(specs(DEPLOYER, { ...SIDECAR, servesIstio: false, dataPlane: 'none' }))).to.deep.equal(
      ['net'],
    );
  });

  it('rule 13: records in objects of their own, and refuses nothing', () => {
    const { objects } = planMesh(
      { ...DEPLOYER, state: 'dry-run' },
      { ...SIDECAR, authorizerProvider: 'agent-trust' },
    );
    expect(Object.keys(objects).sort()).to.deep.equal(['dryallow', 'dryfence', 'mtls']);
    expect(objects.dryallow?.metadata.annotations).to.include({ 'istio.io/dry-run': 'true' });
    expect(objects.dryfence?.metadata.annotations).to.include({ 'istio.io/dry-run': 'true' });
    expect(objects.mtls?.spec).to.deep.equal({ selector: SELECTOR, mtls: { mode: 'PERMISSIVE' } });
  });

  it('rule 10: gives the same bytes for the same graph, in whatever order it comes', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const [target, facts] = [randomTarget(dice), randomFacts(dice)];
      const other = {
        ...target,
        routes: shuffled(dice, target.routes),
        callers: shuffled(dice, target.callers),
        delegators: shuffled(dice, target.delegators),
      };
      expect(JSON.stringify(planMesh(other, facts).objects)).to.equal(
        JSON.stringify(planMesh(target, facts).objects),
      );
    }
  });

  it('rule 10: stays within 512 rules, whatever callers there are', () => {
    const routes = Array.from({ length: 12 }, (_, index) => ({
      method: 'POST',
      path: `/r/${index}`,
      capability: `c${index}`,
    }));
    const delegators = Array.from({ length: 600 }, (_, index) => ({
      namespace: 'ai-agents',
      serviceAccountName: `agent-${index}`,
      capabilities: routes
        .map(({ capability }) => capability)
        .filter((_name, bit) => ((index >> (bit % 10)) & 1) === 1 || bit === 11),
    }));
    const { objects } = planMesh({ ...DEPLOYER, routes, delegators }, SIDECAR);
    const rules = (objects.allow?.spec['rules'] ?? []) as readonly unknown[];
    expect(rules.length).to.be.within(1, 512);
  });

  it('rule 14: renders nothing that Istio would refuse', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const { objects } = planMesh(randomTarget(dice), randomFacts(dice));
      for (const object of all(objects))
        expect(lintMeshObject(object), JSON.stringify(object)).to.deep.equal([]);
    }
  });

  it('rules 3 and 4: says no destination.labels, no spiffe:// and no wildcard', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const text = JSON.stringify(planMesh(randomTarget(dice), randomFacts(dice)).objects);
      expect(text).to.not.match(/destination\.|spiffe:|cluster\.local|"when"|"hosts"/);
    }
  });
});
