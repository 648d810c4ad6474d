import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import type { MeshInput, MeshPorts } from '../../../../src/controllers/mesh/mesh-ports.ts';
import { wantedObjects } from '../../../../src/controllers/mesh/wanted.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { resolveServer } from '../../../../src/domain/mesh/resolve-server.ts';

const PORTS = {
  book: { graph: new DelegationGraph(), isComplete: true, missing: [] },
  view: { identities: { get: () => undefined } },
  mesh: { servesIstio: true, waypointOf: () => undefined },
  namespaces: { get: () => ({ labels: { 'istio-injection': 'enabled' } }) },
  settings: { trustDomain: 'cluster.local', authorizerProvider: undefined },
} as unknown as MeshPorts;
const SPEC = {
  callers: [{ serviceAccounts: ['istio-ingress/gateway'], ports: [8443], paths: ['/healthz'] }],
};

function input(identity: { readonly spec?: object; readonly metadata?: object }): Omit<MeshInput, 'refusal'> {
  const metadata = { namespace: 'ai-agents', name: 'deployer', uid: 'u', ...identity.metadata };
  return {
    identity: { metadata, spec: { ...SPEC, ...identity.spec } } as unknown as AgentIdentity,
    serviceAccountName: 'deployer',
    server: resolveServer(SPEC, () => false),
  };
}

describe('wantedObjects', () => {
  it('lets in callers that are no agents', () => {
    const { plan } = wantedObjects(PORTS, { ...input({}), refusal: undefined }, true);
    expect(plan?.objects.allow?.spec['rules']).to.have.length(1);
    expect(plan?.objects.net?.spec['policyTypes']).to.deep.equal(['Ingress']);
  });

  for (const [what, cutOff] of [
    ['suspended', input({ spec: { suspended: true } })],
    ['being deleted', input({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
  ] as const) {
    it(`cuts off an agent that is ${what}, whatever else is in the way of its certificate`, () => {
      for (const refusal of ['NamespaceRoleMissing', 'InvalidSpec', undefined] as const) {
        const { target, plan } = wantedObjects(PORTS, { ...cutOff, refusal }, true);
        expect(target.state).to.equal('killed');
        expect(plan?.objects.allow?.spec).to.not.have.property('rules');
        expect(plan?.objects.net?.spec['policyTypes']).to.deep.equal(['Ingress', 'Egress']);
      }
    });
  }
});
