/** What NetworkPolicies decide, after the examples of the Kubernetes documentation. */

import { expect } from 'chai';
import { allows } from '../../support/mesh/evaluate.ts';
import { networkAllows } from '../../support/mesh/network-policy.ts';
import type { CalledPod, MeshRequest, PolicyObject } from '../../support/mesh/policy-object.ts';

const POD: CalledPod = { namespace: 'swarm', labels: { app: 'deployer' } };
const CALL: MeshRequest = {
  principal: 'example.org/ns/callers/sa/coordinator',
  namespace: 'callers',
  labels: { app: 'coordinator' },
  port: 8443,
  method: 'POST',
  path: '/v1/delegate',
  tokenVerified: true,
};

function policy(spec: object, namespace = 'swarm'): PolicyObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace },
    spec: { podSelector: {}, ...spec },
  };
}

function allowed(spec: object, call: Partial<MeshRequest> = {}, pod = POD): boolean {
  return networkAllows([policy(spec)], pod, { ...CALL, ...call }).allowed;
}

const ofCallers = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'callers' } } };
const coordinator = { podSelector: { matchLabels: { app: 'coordinator' } } };

describe('networkAllows', () => {
  it('lets everything through where no policy selects the pod', () => {
    expect(networkAllows([], POD, CALL)).to.deep.equal({
      allowed: true,
      reason: 'no NetworkPolicy is against it',
    });
    expect(allowed({ podSelector: { matchLabels: { app: 'other' } } })).to.equal(true);
    expect(networkAllows([policy({}, 'other')], POD, CALL).allowed).to.equal(true);
  });

  it('isolates a pod that a policy selects', () => {
    expect(networkAllows([policy({})], POD, CALL)).to.deep.equal({
      allowed: false,
      reason: 'Ingress not in NetworkPolicy swarm/p',
    });
    expect(allowed({ policyTypes: ['Egress'] })).to.equal(true);
    expect(allowed({ ingress: [{}] })).to.equal(true);
  });

  it('takes both selectors of one peer together, and peers as alternatives', () => {
    const from = (...peers: readonly object[]): boolean => allowed({ ingress: [{ from: peers }] });
    expect(from({ ...ofCallers, ...coordinator })).to.equal(true);
    expect(from({ ...ofCallers, podSelector: { matchLabels: { app: 'other' } } })).to.equal(false);
    expect(from({ podSelector: {} })).to.equal(false);
    expect(from({ namespaceSelector: {} })).to.equal(true);
    expect(from(coordinator, ofCallers)).to.equal(true);
  });

  it('compares ports and ranges of TCP', () => {
    const on = (...ports: readonly object[]): boolean => allowed({ ingress: [{ ports }] });
    expect(on({ port: 8443 })).to.equal(true);
    expect(on({ protocol: 'TCP' })).to.equal(true);
    expect(on({ port: 8000, endPort: 9000 })).to.equal(true);
    expect(on({ port: 8442 })).to.equal(false);
    expect(on({ protocol: 'UDP', port: 8443 })).to.equal(false);
    expect(() => on({ port: 'https' })).to.throw('no port named https');
  });

  it('compares expressions of selectors', () => {
    const from = (operator: string, values?: readonly string[]): boolean =>
      allowed({
        ingress: [
          { from: [{ ...ofCallers, podSelector: { matchExpressions: [{ key: 'app', operator, values }] } }] },
        ],
      });
    expect(from('In', ['coordinator'])).to.equal(true);
    expect(from('NotIn', ['coordinator'])).to.equal(false);
    expect(from('Exists')).to.equal(true);
    expect(from('DoesNotExist')).to.equal(false);
  });

  it('needs the egress of an isolated caller too', () => {
    const egress = (spec: object): boolean => networkAllows([policy(spec, 'callers')], POD, CALL).allowed;
    expect(egress({ policyTypes: ['Egress'] })).to.equal(false);
    expect(egress({ egress: [{ to: [{ namespaceSelector: {} }] }], policyTypes: ['Egress'] })).to.equal(true);
    expect(egress({ egress: [{ to: [{ podSelector: {} }] }] })).to.equal(false);
  });

  it('sees the port of the tunnel in ambient', () => {
    const spec = { ingress: [{ ports: [{ port: 15008 }] }] };
    expect(allowed(spec)).to.equal(false);
    expect(allowed(spec, {}, { ...POD, dataPlane: 'ambient' })).to.equal(true);
    expect(allowed(spec, { principal: undefined }, { ...POD, dataPlane: 'ambient' })).to.equal(false);
  });

  it('takes address blocks as everything or link-local, and judges no other', () => {
    const block = (cidr: string): boolean => allowed({ ingress: [{ from: [{ ipBlock: { cidr } }] }] });
    expect(block('0.0.0.0/0')).to.equal(true);
    expect(block('169.254.7.127/32')).to.equal(false);
    expect(() => block('10.0.0.0/8')).to.throw('no address');
  });
});

describe('allows', () => {
  it('needs the yes of NetworkPolicies and mesh', () => {
    const closed: PolicyObject = {
      ...policy({}),
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
    };
    expect(allows([], POD, CALL).allowed).to.equal(true);
    expect(allows([policy({})], POD, CALL).reason).to.equal('Ingress not in NetworkPolicy swarm/p');
    expect(allows([policy({ ingress: [{}] }), closed], POD, CALL).reason).to.equal('in no ALLOW policy');
  });
});
