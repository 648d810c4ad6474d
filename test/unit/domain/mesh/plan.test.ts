import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshFacts, MeshObjects, MeshRole, MeshTarget } from '../../../../src/domain/mesh/model.ts';
import { meshObjectName } from '../../../../src/domain/mesh/names.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { targetsOf } from '../../../support/mesh/mesh-world.ts';
import { swarmWorld } from '../../../support/mesh/swarm-world.ts';
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

interface Rule {
  readonly from: readonly { readonly source: { readonly principals: readonly string[] } }[];
  readonly to: readonly { readonly operation: { readonly ports: readonly string[] } }[];
}

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

  it('renders the running example: each agent is called by those whom the policy names', () => {
    const callers = targetsOf(swarmWorld()).map((target) => {
      const { objects } = planMesh(target, SIDECAR);
      const rules = (objects.allow?.spec['rules'] ?? []) as readonly Rule[];
      return [target.name, rules.map(({ from, to }) => [from[0]?.source.principals, to])];
    });
    const delegate = [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }];
    expect(Object.fromEntries(callers)).to.deep.equal({
      'agent-coordinator': [],
      'agent-deployer': [[[COORDINATOR], delegate]],
      'agent-analyst': [[[COORDINATOR], delegate]],
      'agent-writer': [[[COORDINATOR], delegate]],
      'agent-validator': [[['example.org/ns/ai-agents/sa/agent-deployer-sa'], delegate]],
    });
  });

  it('rule 1: gives its objects the labels and annotations of the target and no owner', () => {
    const { objects } = planMesh(DEPLOYER, { ...SIDECAR, authorizerProvider: 'agent-trust' });
    const { labels, annotations, namespace } = DEPLOYER;
    for (const [role, { metadata }] of Object.entries(objects)) {
      const name = meshObjectName(role as MeshRole, DEPLOYER);
      expect(metadata).to.deep.equal({ name, namespace, labels, annotations });
    }
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

  it('rule 15: lets callers that are no agents in on their paths, past the authorizer', () => {
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

  it('rule 14: renders nothing that Istio would refuse', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const { objects } = planMesh(randomTarget(dice), randomFacts(dice));
      for (const object of all(objects))
        expect(lintMeshObject(object), JSON.stringify(object)).to.deep.equal([]);
    }
  });

  it('rule 5: asks the authorizer about every port that anybody may call, whoever calls', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const facts = { ...SIDECAR, authorizerProvider: 'agent-trust' };
      const { objects } = planMesh({ ...randomTarget(dice), state: 'enforce' }, facts);
      const [rule, ...others] = (objects.verify?.spec['rules'] ?? []) as readonly Rule[];
      expect([others, rule?.from, rule?.to.length]).to.deep.equal([[], undefined, 1]);
      const opened = JSON.stringify(objects.allow?.spec).match(/(?<="ports":\[")\d+/g) ?? [];
      expect(rule?.to[0]?.operation.ports).to.include.members(opened);
    }
  });

  it('rule 12: opens exact paths and templates, each with its port and method', () => {
    const routes = [
      { method: 'GET', path: '/v1/{*}/x/{**}' },
      { method: 'GET', path: '/v1/reports/{name}' },
      { method: 'POST', path: '/v1/message:send' },
    ];
    expect(
      (specs({ ...DEPLOYER, routes })['allow'] as { rules: readonly Rule[] }).rules[0]?.to,
    ).to.deep.equal([
      { operation: { ports: ['8443'], methods: ['GET'], paths: ['/v1/reports/{*}', '/v1/{*}/x/{**}'] } },
      { operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/message:send'] } },
    ]);
  });

  it('rules 3 and 4: says no destination.labels, no spiffe:// and no wildcard', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const text = JSON.stringify(planMesh(randomTarget(dice), randomFacts(dice)).objects);
      expect(text).to.not.match(/destination\.|spiffe:|cluster\.local|"when"|"hosts"/);
    }
  });
});
