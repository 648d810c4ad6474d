import { expect } from 'chai';
import { type EnforcingRole, meetOf } from '../../../../src/domain/mesh/meet.ts';
import type { MeshFacts, MeshObject, MeshTarget } from '../../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { DEPLOYER, SIDECAR } from './fixture.ts';

type Spec = MeshObject['spec'];

const FACTS: MeshFacts = { ...SIDECAR, authorizerProvider: 'agent-trust' };
const ROLES: readonly EnforcingRole[] = ['allow', 'fence', 'verify', 'mtls', 'net'];

function caller(name: string, ports: readonly number[]): MeshTarget['callers'][number] {
  const accounts = [{ namespace: 'x', serviceAccountName: name }];
  return { accounts, ports, methods: ['GET'], paths: [`/${name}`] };
}

function object(role: EnforcingRole, target: Partial<MeshTarget> = {}): MeshObject {
  const found = planMesh({ ...DEPLOYER, ...target }, FACTS).objects[role];
  if (found === undefined) throw new Error(`the plan lacks ${role}`);
  return found;
}

describe('meetOf', () => {
  for (const role of ROLES) {
    it(`gives ${role} of the callers that both have`, () => {
      const both = caller('both', [9090]);
      const old = object(role, { callers: [caller('old', [9091]), both] });
      const wanted = object(role, { callers: [both, caller('new', [9092])] });
      const meet = meetOf(role, old, wanted);
      if (role !== 'verify') return expect(meet).to.deep.equal(object(role, { callers: [both] }));
      // Asks about what either asks about.
      const operation = { ports: ['8443', '9090', '9091', '9092'], notPaths: ['/both'] };
      return expect(meet?.spec['rules']).to.deep.equal([{ to: [{ operation }] }]);
    });

    it(`gives ${role} itself for the same twice`, () => {
      expect(meetOf(role, object(role), object(role))).to.deep.equal(object(role));
    });

    it(`rejects ${role} that somebody made to say everything`, () => {
      const spec = { rules: [{}], ingress: [{}] };
      expect(meetOf(role, { ...object(role), spec }, object(role))).to.equal(undefined);
    });

    it(`rejects ${role} that is only recorded`, () => {
      const { metadata, ...rest } = object(role);
      const annotations = { ...metadata.annotations, 'istio.io/dry-run': 'true' };
      const disarmed = { ...rest, metadata: { ...metadata, annotations } };
      expect(meetOf(role, disarmed, object(role))).to.equal(undefined);
    });
  }

  const { selector } = object('allow').spec;
  const [rule] = object('allow').spec['rules'] as readonly Spec[];
  const rejected: readonly (readonly [what: string, role: EnforcingRole, spec: Spec])[] = [
    ['an ALLOW with conditions', 'allow', { selector, rules: [{ ...rule, when: [] }] }],
    ['an ALLOW that is a DENY', 'allow', { selector, action: 'DENY', rules: [rule] }],
    ['an ALLOW for everybody', 'allow', { selector, action: 'ALLOW', rules: [{}] }],
    ['an ALLOW with a text that is empty', 'allow', { selector, rules: [operation({ methods: [''] })] }],
    ['an ALLOW with hosts', 'allow', { selector, rules: [operation({ hosts: ['x'] })] }],
    ['an ALLOW on every port', 'allow', { selector, rules: [operation({ ports: undefined })] }],
    ['a fence with two rules', 'fence', { selector, action: 'DENY', rules: [{}, {}] }],
    ['a CUSTOM of another provider', 'verify', custom({ ports: ['8443'] }, 'other')],
    ['a CUSTOM of every port', 'verify', custom({ notPaths: ['/x'] })],
    ['a CUSTOM that Istio would refuse', 'verify', custom({ ports: ['https'] })],
    ['mutual TLS that is off', 'mtls', { selector, mtls: { mode: 'DISABLE' } }],
    ['mutual TLS that is off on a port', 'mtls', { ...object('mtls').spec, portLevelMtls: {} }],
    ['UDP', 'net', net([{ protocol: 'UDP', port: 8443 }])],
    ['a range of ports', 'net', net([{ protocol: 'TCP', port: 8443, endPort: 9000 }])],
    ['every port', 'net', net([])],
  ];
  for (const [what, role, spec] of rejected) {
    it(`rejects ${what}`, () => {
      expect(meetOf(role, { ...object(role), spec }, object(role))).to.equal(undefined);
    });
  }

  function operation(fields: Readonly<Record<string, unknown>>): Spec {
    return { ...rule, to: [{ operation: { ports: ['8443'], ...fields } }] };
  }

  function custom(fields: Spec, provider = 'agent-trust'): Spec {
    const rules = [{ to: [{ operation: fields }] }];
    return { selector, action: 'CUSTOM', provider: { name: provider }, rules };
  }

  function net(ports: readonly object[]): Spec {
    const { spec } = object('net');
    const [{ from } = {}] = spec['ingress'] as readonly Spec[];
    return { ...spec, ingress: [{ from, ports }] };
  }
});
