import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshPlan, MeshTarget, OutsideCaller } from '../../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { DEPLOYER, SIDECAR } from './fixture.ts';

const GATEWAY: OutsideCaller = {
  accounts: [{ namespace: 'istio-ingress', serviceAccountName: 'gateway' }],
  ports: [8443],
  methods: ['GET'],
  paths: ['/healthz'],
};
const FACTS = { ...SIDECAR, authorizerProvider: 'agent-trust' };
const DEPLOYER_ACCOUNT = { namespace: 'ai-agents', serviceAccountName: 'agent-deployer-sa' };

function planOf(target: Partial<MeshTarget>): MeshPlan {
  return planMesh({ ...DEPLOYER, ...target }, FACTS);
}

function reasons({ notes }: MeshPlan): readonly string[] {
  return notes.map(({ reason }) => reason);
}

function rulesOf({ objects }: MeshPlan): readonly unknown[] {
  return (objects.allow?.spec['rules'] ?? []) as readonly unknown[];
}

describe('callersOf', () => {
  const [coordinator] = DEPLOYER.delegators;
  const refused: Readonly<Record<string, Partial<OutsideCaller>>> = {
    'the path of a route': { paths: ['/v1/delegate'] },
    'the path of a route with a slash more': { paths: ['/v1/delegate/'] },
    'the path of a route in capitals': { paths: ['/V1/Delegate'] },
    'a path with dots that leads to a route': { paths: ['/v1/x/../delegate'] },
    'a path with escapes that leads to a route': { paths: ['/v1/%64elegate'] },
    'a template': { paths: ['/v1/{*}'] },
    'a wildcard': { paths: ['/v1/*'] },
    'an empty path, which would be every path': { paths: [''] },
    'no path, which would be every path': { paths: [] },
    'a path that ends with another rule': { paths: ['/x\n8443 POST /v1/delegate'] },
    'a path with a space': { paths: ['/v1/delegate /x'] },
    'a method with a path': { methods: ['POST /v1/delegate'] },
    'an empty method, which would be every method': { methods: [''] },
    'a port that is none': { ports: [8443.5] },
    'no port': { ports: [] },
    'a delegator': { accounts: coordinator === undefined ? [] : [coordinator] },
    'the agent itself': { accounts: [DEPLOYER_ACCOUNT] },
    'everybody of a namespace': { accounts: [{ namespace: 'istio-ingress', serviceAccountName: '*' }] },
  };
  for (const [what, fields] of Object.entries(refused)) {
    it(`lets no caller in by ${what}`, () => {
      const plan = planOf({ callers: [{ ...GATEWAY, ...fields }] });
      expect(plan.objects).to.deep.equal(planOf({}).objects);
    });
  }

  it('says that an entry is left out, and keeps what of it is safe', () => {
    const plan = planOf({ callers: [{ ...GATEWAY, paths: ['/v1/delegate', '/healthz'] }] });
    expect(reasons(plan)).to.deep.equal(['CallerIgnored']);
    expect(plan.objects).to.deep.equal(planOf({ callers: [GATEWAY] }).objects);
  });

  it('lets a caller in on paths that are no route', () => {
    const plan = planOf({ callers: [{ ...GATEWAY, paths: ['/v1/delegate/x', '/healthz'] }] });
    expect([reasons(plan), rulesOf(plan).length]).to.deep.equal([[], 2]);
  });

  for (const path of ['/v1/a{name}', '/v1/{**}/x', '/v1/*', '/v1//x', 'v1', '/v1/a\n8443 GET /x']) {
    it(`closes the route ${JSON.stringify(path)}, and says so`, () => {
      const plan = planOf({ routes: [{ method: 'POST', path }] });
      expect([reasons(plan), rulesOf(plan)]).to.deep.equal([['RouteIgnored'], []]);
    });
  }

  it('closes a route with a method that is none, and says so', () => {
    const plan = planOf({ routes: [{ method: '', path: '/v1/delegate' }] });
    expect([reasons(plan), rulesOf(plan)]).to.deep.equal([['RouteIgnored'], []]);
  });

  it('lets in nobody who has no capability of any route', () => {
    const plan = planOf({ routes: [{ method: 'POST', path: '/x', capability: 'other' }] });
    expect(plan.objects).to.deep.equal(planOf({ delegators: [] }).objects);
  });

  it('rule 10: lets 900 delegators in within 512 rules, each on its routes', () => {
    const routes = Array.from({ length: 33 }, (_, index) => ({
      method: 'POST',
      path: `/r/${index}`,
      capability: `c${index}`,
    }));
    const delegators = Array.from({ length: 900 }, (_, index) => ({
      namespace: 'ai-agents',
      serviceAccountName: `agent-${index}`,
      capabilities: routes.filter((_route, bit) => (((index + 1) >> (bit % 10)) & 1) === 1).map(capabilityOf),
    }));
    const plan = planOf({ routes, delegators });
    const opened = rulesOf(plan) as readonly Rule[];
    expect(opened.length).to.be.within(1, 512);
    expect(plan.notes).to.deep.equal([]);
    for (const { serviceAccountName, capabilities } of delegators.slice(0, 20)) {
      const principal = `example.org/ns/ai-agents/sa/${serviceAccountName}`;
      const paths = opened
        .filter(({ from }) => from[0]?.source.principals.includes(principal))
        .flatMap(({ to }) => to.flatMap(({ operation }) => operation.paths));
      const own = routes
        .filter(({ capability }) => capabilities.includes(capability))
        .map(({ path }) => path);
      expect(paths.sort()).to.deep.equal(own.sort());
    }
  });

  it('rule 10: leaves callers out that need more than 512 rules, says so, and keeps the delegators', () => {
    const callers = Array.from({ length: 600 }, (_, index) => ({
      ...GATEWAY,
      accounts: [{ namespace: 'x', serviceAccountName: `a-${index}` }],
      paths: [`/p/${index}`],
    }));
    const plan = planOf({ callers });
    expect(plan.objects).to.deep.equal(planOf({}).objects);
    expect(reasons(plan)).to.deep.equal(['CallerIgnored']);
  });

  it('rule 10: closes routes that need more than 512 rules, and says so', () => {
    const routes = Array.from({ length: 600 }, (_, index) => ({
      method: 'POST',
      path: `/r/${index}`,
      capability: `c${index}`,
    }));
    const delegators = routes.map(({ capability }, index) => ({
      namespace: 'ai-agents',
      serviceAccountName: `agent-${index}`,
      capabilities: [capability],
    }));
    const plan = planOf({ routes, delegators });
    expect(reasons(plan)).to.deep.equal(['RouteIgnored']);
    expect(rulesOf(plan)).to.deep.equal([]);
    expect(Object.values(plan.objects).flatMap(lintMeshObject)).to.deep.equal([]);
  });
});

interface Rule {
  readonly from: readonly { readonly source: { readonly principals: readonly string[] } }[];
  readonly to: readonly { readonly operation: { readonly paths: readonly string[] } }[];
}

function capabilityOf({ capability }: { readonly capability: string }): string {
  return capability;
}
