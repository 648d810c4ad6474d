import { expect } from 'chai';
import type { MeshFacts, MeshTarget } from '../../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { CALLS, DEPLOYER, letsIn, SIDECAR } from './fixture.ts';

const SELECTOR = { matchLabels: { 'agenttrust.dev/identity': 'agent-deployer-sa' } };
const COORDINATOR = 'example.org/ns/ai-agents/sa/agent-coordinator-sa';
const GATEWAY = 'example.org/ns/istio-ingress/sa/gateway';
const NOBODY = 'example.org/ns/-/sa/-';
const TARGET: MeshTarget = {
  ...DEPLOYER,
  callers: [
    {
      accounts: [{ namespace: 'istio-ingress', serviceAccountName: 'gateway' }],
      ports: [9090],
      methods: ['GET'],
      paths: ['/healthz'],
    },
  ],
};
const FACTS: MeshFacts = { ...SIDECAR, authorizerProvider: 'agent-trust' };

const MTLS = { selector: SELECTOR, mtls: { mode: 'STRICT' } };
const CLOSED = {
  allow: { selector: SELECTOR, action: 'ALLOW' },
  fence: fence(NOBODY),
  mtls: MTLS,
};
const ALLOW = {
  selector: SELECTOR,
  action: 'ALLOW',
  rules: [
    {
      from: [{ source: { principals: [COORDINATOR] } }],
      to: [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }],
    },
    {
      from: [{ source: { principals: [GATEWAY] } }],
      to: [{ operation: { ports: ['9090'], methods: ['GET'], paths: ['/healthz'] } }],
    },
  ],
};
const PROBES = { from: [{ ipBlock: { cidr: '169.254.7.127/32' } }] };

function fence(...notPrincipals: readonly string[]): object {
  return { selector: SELECTOR, action: 'DENY', rules: [{ from: [{ source: { notPrincipals } }] }] };
}

function verify(ports: readonly string[], notPaths: readonly string[]): object {
  const operation = { ports, ...(notPaths.length === 0 ? {} : { notPaths }) };
  return {
    selector: SELECTOR,
    action: 'CUSTOM',
    provider: { name: 'agent-trust' },
    rules: [{ to: [{ operation }] }],
  };
}

function net(...ports: readonly number[]): object {
  const inNamespace = (name: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
  const coordinator = {
    namespaceSelector: inNamespace('ai-agents'),
    podSelector: { matchLabels: { 'agenttrust.dev/identity': 'agent-coordinator-sa' } },
  };
  const ofNoAgent = {
    namespaceSelector: inNamespace('istio-ingress'),
    podSelector: { matchExpressions: [{ key: 'agenttrust.dev/identity', operator: 'DoesNotExist' }] },
  };
  const tcp = (...all: readonly number[]): readonly object[] =>
    all.map((port) => ({ protocol: 'TCP', port }));
  return {
    podSelector: SELECTOR,
    policyTypes: ['Ingress'],
    ingress: [
      { from: [coordinator], ports: tcp(8443, ...ports) },
      { from: [ofNoAgent], ports: tcp(9090, ...ports) },
      ...(ports.length === 0 ? [] : [PROBES]),
    ],
  };
}

function planOf(
  target: Partial<MeshTarget>,
  facts: Partial<MeshFacts>,
): { readonly specs: object; readonly notes: readonly string[] } {
  const { objects, notes } = planMesh({ ...TARGET, ...target }, { ...FACTS, ...facts });
  return {
    specs: Object.fromEntries(Object.entries(objects).map(([role, { spec }]) => [role, spec])),
    notes: notes.map(({ reason }) => reason),
  };
}

describe('planMesh on each data plane', () => {
  const full = {
    allow: ALLOW,
    fence: fence(COORDINATOR, GATEWAY),
    verify: verify(['8443', '9090'], ['/healthz']),
    mtls: MTLS,
    net: net(),
  };

  it('renders everything for sidecars', () => {
    expect(planOf({}, { dataPlane: 'sidecar' })).to.deep.equal({ specs: full, notes: [] });
  });

  it('renders everything before the namespace is in the mesh, so that no pod ever runs without', () => {
    expect(planOf({}, { dataPlane: 'none' })).to.deep.equal({ specs: full, notes: [] });
  });

  it('rule 7: asks ztunnel for who calls and the port alone, and says so', () => {
    const rules = ALLOW.rules.map(({ from, to }) => ({
      from,
      to: to.map(({ operation: { ports } }) => ({ operation: { ports } })),
    }));
    const specs = {
      allow: { ...ALLOW, rules },
      fence: fence(COORDINATOR, GATEWAY),
      mtls: MTLS,
      net: net(15_008),
    };
    expect(planOf({}, { dataPlane: 'ambient' })).to.deep.equal({ specs, notes: ['LayerFourOnly'] });
  });

  it('closes a target behind a waypoint but for probes, and says so', () => {
    const specs = { ...CLOSED, net: { podSelector: SELECTOR, policyTypes: ['Ingress'], ingress: [PROBES] } };
    expect(planOf({}, { dataPlane: 'waypoint' })).to.deep.equal({ specs, notes: ['WaypointNotYet'] });
  });

  it('renders a NetworkPolicy alone where there is no Istio', () => {
    const found = planOf({}, { servesIstio: false, dataPlane: 'none' });
    expect(found).to.deep.equal({ specs: { net: net() }, notes: [] });
    expect(planOf({}, { servesIstio: false, dataPlane: 'ambient' }).notes).to.deep.equal([]);
  });

  it('rule 15: keeps the probes of an agent in ambient that nobody may call', () => {
    const { objects } = planMesh({ ...DEPLOYER, delegators: [] }, { ...SIDECAR, dataPlane: 'ambient' });
    expect(objects.net?.spec['ingress']).to.deep.equal([PROBES]);
  });
});

describe('planMesh in each state', () => {
  it('closed: nobody may call, whoever may delegate', () => {
    const specs = {
      ...CLOSED,
      verify: verify(['8443'], []),
      net: { podSelector: SELECTOR, policyTypes: ['Ingress'] },
    };
    expect(planOf({ state: 'closed' }, {})).to.deep.equal({ specs, notes: [] });
  });

  for (const state of ['killed', 'tombstone'] as const) {
    for (const dataPlane of ['sidecar', 'none', 'ambient', 'waypoint'] as const) {
      it(`${state}: nobody may call and it may call nobody, ${dataPlane}`, () => {
        const isVerified = dataPlane === 'sidecar' || dataPlane === 'none';
        const specs = {
          ...CLOSED,
          ...(isVerified ? { verify: verify(['8443'], []) } : {}),
          net: { podSelector: SELECTOR, policyTypes: ['Ingress', 'Egress'] },
        };
        expect(planOf({ state }, { dataPlane })).to.deep.equal({ specs, notes: [] });
      });
    }

    it(`${state}: has a NetworkPolicy without Istio too`, () => {
      const { specs } = planOf({ state }, { servesIstio: false });
      expect(specs).to.deep.equal({
        net: { podSelector: SELECTOR, policyTypes: ['Ingress', 'Egress'] },
      });
    });
  }

  it('rule 13: records in objects of their own when dry-run, and refuses nothing', () => {
    const { objects } = planMesh({ ...TARGET, state: 'dry-run' }, FACTS);
    const specs = Object.entries(objects).map(([role, { spec }]) => [role, spec]);
    expect(Object.fromEntries(specs)).to.deep.equal({
      dryallow: ALLOW,
      dryfence: fence(COORDINATOR, GATEWAY),
      mtls: { selector: SELECTOR, mtls: { mode: 'PERMISSIVE' } },
    });
    expect(objects.dryallow?.metadata.annotations).to.include({ 'istio.io/dry-run': 'true' });
    expect(objects.dryfence?.metadata.annotations).to.include({ 'istio.io/dry-run': 'true' });
    expect(objects.mtls?.metadata.annotations).to.not.have.property('istio.io/dry-run');
    expect(CALLS.filter((call) => !letsIn(objects, call))).to.deep.equal([]);
  });

  it('renders nothing for dry-run where there is no Istio to record', () => {
    expect(planOf({ state: 'dry-run' }, { servesIstio: false }).specs).to.deep.equal({});
  });
});
