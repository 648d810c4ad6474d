/** What Istio's AuthorizationPolicies and PeerAuthentications decide, from its own documentation and golden files. */

import { expect } from 'chai';
import { meshAllows } from '../../support/mesh/evaluate.ts';
import type { CalledPod, MeshRequest, PolicyObject } from '../../support/mesh/policy-object.ts';

const POD: CalledPod = { namespace: 'swarm', labels: { app: 'deployer' } };
const CALLER = 'example.org/ns/swarm/sa/coordinator';
const CALL: MeshRequest = {
  principal: CALLER,
  namespace: 'swarm',
  labels: { app: 'coordinator' },
  port: 8443,
  method: 'POST',
  path: '/v1/delegate',
  tokenVerified: false,
};

function policy(spec: object, metadata: Partial<PolicyObject['metadata']> = {}): PolicyObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'p', namespace: 'swarm', ...metadata },
    spec: { ...spec },
  };
}

function peers(
  mode: string,
  metadata: Partial<PolicyObject['metadata']> = {},
  spec: object = {},
): PolicyObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'p', namespace: 'swarm', ...metadata },
    spec: { mtls: { mode }, ...spec },
  };
}

function allowed(objects: readonly PolicyObject[], call: Partial<MeshRequest> = {}, pod = POD): boolean {
  return meshAllows(objects, pod, { ...CALL, ...call }).allowed;
}

/** Whether a single ALLOW rule matches. */
function matches(rule: object, call: Partial<MeshRequest> = {}): boolean {
  return allowed([policy({ rules: [rule] })], call);
}

function source(fields: object): object {
  return { from: [{ source: fields }] };
}

function operation(fields: object): object {
  return { to: [{ operation: fields }] };
}

describe('meshAllows', () => {
  describe('with AuthorizationPolicies', () => {
    it('lets everything in where there is no ALLOW policy', () => {
      expect(meshAllows([], POD, CALL)).to.deep.equal({ allowed: true, reason: 'no ALLOW policy' });
      expect(allowed([policy({ action: 'DENY', rules: [operation({ ports: ['1'] })] })])).to.equal(true);
    });

    it('lets nothing in through an ALLOW policy without rules', () => {
      expect(meshAllows([policy({})], POD, CALL)).to.deep.equal({
        allowed: false,
        reason: 'in no ALLOW policy',
      });
      expect(allowed([policy({ action: 'ALLOW', rules: [] })])).to.equal(false);
    });

    it('takes a rule without parts as one that matches everything', () => {
      expect(allowed([policy({ rules: [{}] })], { principal: undefined })).to.equal(true);
      expect(allowed([policy({ action: 'DENY', rules: [{}] })])).to.equal(false);
    });

    it('asks CUSTOM, then DENY, then ALLOW, and needs the yes of all', () => {
      const [custom, deny, allow] = [
        policy({ action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] }, { name: 'custom' }),
        policy({ action: 'DENY', rules: [{}] }, { name: 'deny' }),
        policy({ rules: [{}] }, { name: 'allow' }),
      ];
      expect(meshAllows([allow, deny, custom], POD, CALL).reason).to.equal(
        'AuthorizationPolicy swarm/custom',
      );
      const verified = { ...CALL, tokenVerified: true };
      expect(meshAllows([allow, deny, custom], POD, verified).reason).to.equal(
        'AuthorizationPolicy swarm/deny',
      );
      expect(meshAllows([allow, custom], POD, verified)).to.deep.equal({
        allowed: true,
        reason: 'AuthorizationPolicy swarm/allow',
      });
    });

    it('reads policies of the namespace and of the root namespace, and of no other', () => {
      const deny = { action: 'DENY', rules: [{}] };
      expect(allowed([policy(deny, { namespace: 'istio-system' })])).to.equal(false);
      expect(allowed([policy(deny, { namespace: 'other' })])).to.equal(true);
    });

    it('reads policies that select the pod, all of its labels, or all pods', () => {
      const selecting = (matchLabels: object): boolean => allowed([policy({ selector: { matchLabels } })]);
      expect(selecting({ app: 'deployer' })).to.equal(false);
      expect(selecting({})).to.equal(false);
      expect(selecting({ app: 'other' })).to.equal(true);
      expect(selecting({ app: 'deployer', more: 'x' })).to.equal(true);
      expect(allowed([policy({ targetRefs: [{ kind: 'Service', name: 'deployer' }] })])).to.equal(true);
    });

    it('passes over dry-run policies', () => {
      expect(allowed([policy({}, { annotations: { 'istio.io/dry-run': 'true' } })])).to.equal(true);
      expect(allowed([policy({}, { annotations: { 'istio.io/dry-run': 'false' } })])).to.equal(false);
    });

    it('joins values and list items with or, fields and parts with and', () => {
      const two = { from: [{ source: { principals: ['x'] } }, { source: { principals: ['y', CALLER] } }] };
      expect(matches(two)).to.equal(true);
      expect(matches({ ...two, ...operation({ methods: ['GET'] }) })).to.equal(false);
      expect(matches(source({ principals: [CALLER], namespaces: ['other'] }))).to.equal(false);
      const when = (...keys: readonly object[]): boolean => matches({ when: keys });
      const port = { key: 'destination.port', values: ['8443'] };
      expect(when(port)).to.equal(true);
      expect(when(port, { key: 'source.namespace', notValues: ['swarm'] })).to.equal(false);
    });

    it('drops a rule with a key that Istio does not know', () => {
      const rule = { when: [{ key: 'destination.labels[app]', values: ['deployer'] }] };
      expect(matches(rule)).to.equal(false);
      expect(allowed([policy({ action: 'DENY', rules: [rule] })])).to.equal(true);
    });

    it('matches principals', () => {
      for (const pattern of [CALLER, '*', 'example.org/*', '*/sa/coordinator']) {
        expect(matches(source({ principals: [pattern] })), pattern).to.equal(true);
        expect(matches(source({ notPrincipals: [pattern] })), pattern).to.equal(false);
      }
      for (const pattern of [`spiffe://${CALLER}`, `${CALLER}s`, 'cluster.local/ns/swarm/sa/coordinator']) {
        expect(matches(source({ principals: [pattern] })), pattern).to.equal(false);
        expect(matches(source({ notPrincipals: [pattern] })), pattern).to.equal(true);
      }
      expect(matches(source({ principals: ['*'] }), { principal: undefined })).to.equal(false);
      expect(matches(source({ notPrincipals: ['*'] }), { principal: undefined })).to.equal(true);
    });

    it('takes cluster.local for the trust domain of the mesh at a sidecar, and as it stands at a ztunnel', () => {
      const rules = [source({ principals: ['cluster.local/ns/swarm/sa/coordinator'] })];
      const pod = { ...POD, trustDomain: 'example.org' };
      expect(allowed([policy({ rules })], {}, pod)).to.equal(true);
      expect(allowed([policy({ rules })], {}, { ...pod, dataPlane: 'ambient' })).to.equal(false);
    });

    it('matches namespaces and ServiceAccounts of the principal, of any trust domain', () => {
      const foreign = { principal: 'evil.org/ns/swarm/sa/coordinator', namespace: 'elsewhere' };
      for (const fields of [
        { namespaces: ['swarm'] },
        { namespaces: ['sw*'] },
        { serviceAccounts: ['coordinator'] },
        { serviceAccounts: ['swarm/coordinator'] },
      ]) {
        expect(matches(source(fields)), JSON.stringify(fields)).to.equal(true);
        expect(matches(source(fields), foreign), JSON.stringify(fields)).to.equal(true);
        expect(matches(source(fields), { principal: undefined }), JSON.stringify(fields)).to.equal(false);
      }
      expect(matches(source({ namespaces: ['elsewhere'] }), foreign)).to.equal(false);
      expect(matches(source({ serviceAccounts: ['other/coordinator'] }))).to.equal(false);
    });

    it('matches ports, methods and paths', () => {
      for (const fields of [
        { ports: ['80', '8443'] },
        { methods: ['POST'] },
        { paths: ['/v1/delegate'] },
        { paths: ['/v1/*'] },
        { paths: ['*/delegate'] },
        { paths: ['/{*}/delegate'] },
        { paths: ['/{**}'] },
        { notPorts: ['80'] },
        { notPaths: ['/v1/delegate/'] },
      ]) {
        expect(matches(operation(fields)), JSON.stringify(fields)).to.equal(true);
      }
      for (const fields of [
        { ports: ['80'] },
        { methods: ['post'] },
        { paths: ['/v1/Delegate'] },
        { paths: ['/v1/delegate/'] },
        { paths: ['/{*}'] },
        { paths: ['/v1/delegate/{*}'] },
        { notMethods: ['P*'] },
      ]) {
        expect(matches(operation(fields)), JSON.stringify(fields)).to.equal(false);
      }
    });

    it('refuses to judge what a call does not have', () => {
      for (const fields of [{ ipBlocks: ['10.0.0.0/8'] }, { requestPrincipals: ['*'] }]) {
        expect(() => matches(source(fields))).to.throw('nothing to compare with');
      }
      expect(() => matches(operation({ hosts: ['*'] }))).to.throw('hosts');
      expect(() => matches({ when: [{ key: 'request.auth.claims[iss]', values: ['x'] }] })).to.throw(
        'claims',
      );
    });
  });

  describe('at a ztunnel', () => {
    const AMBIENT: CalledPod = { ...POD, dataPlane: 'ambient' };
    const http = { ...source({ principals: ['other'] }), ...operation({ methods: ['GET'] }) };

    it('leaves out an ALLOW rule with HTTP in it', () => {
      expect(allowed([policy({ rules: [operation({ methods: ['POST'] })] })], {}, AMBIENT)).to.equal(false);
      expect(allowed([policy({ rules: [operation({ ports: ['8443'] })] })], {}, AMBIENT)).to.equal(true);
    });

    it('leaves the HTTP out of a DENY rule, and the rule when nothing remains', () => {
      const deny = (rule: object): PolicyObject => policy({ action: 'DENY', rules: [rule] });
      expect(
        allowed(
          [deny({ ...source({ principals: [CALLER] }), ...operation({ methods: ['GET'] }) })],
          {},
          AMBIENT,
        ),
      ).to.equal(false);
      expect(allowed([deny(http)], {}, AMBIENT)).to.equal(true);
      expect(allowed([deny(operation({ methods: ['POST'] }))], {}, AMBIENT)).to.equal(true);
      expect(allowed([deny({})], {}, AMBIENT)).to.equal(false);
    });

    it('asks no external authorizer', () => {
      expect(allowed([policy({ action: 'CUSTOM', rules: [{}] })], {}, AMBIENT)).to.equal(true);
    });
  });

  describe('with PeerAuthentications', () => {
    const plain = { principal: undefined };

    it('refuses plain text where mutual TLS is demanded', () => {
      expect(allowed([peers('STRICT')], plain)).to.equal(false);
      expect(allowed([peers('STRICT')])).to.equal(true);
      expect(allowed([peers('PERMISSIVE')], plain)).to.equal(true);
      expect(allowed([], plain)).to.equal(true);
    });

    it('knows nobody where mutual TLS is off', () => {
      const allow = policy({ rules: [source({ principals: [CALLER] })] });
      expect(allowed([allow])).to.equal(true);
      expect(allowed([allow, peers('DISABLE')])).to.equal(false);
    });

    it('takes the port, the workload, the namespace, then the mesh', () => {
      const selector = { selector: { matchLabels: { app: 'deployer' } } };
      const root = { namespace: 'istio-system' };
      expect(allowed([peers('STRICT', root)], plain)).to.equal(false);
      expect(allowed([peers('STRICT', root), peers('PERMISSIVE')], plain)).to.equal(true);
      expect(allowed([peers('PERMISSIVE'), peers('STRICT', {}, selector)], plain)).to.equal(false);
      expect(allowed([peers('STRICT'), peers('UNSET', {}, selector)], plain)).to.equal(false);
      expect(allowed([peers('STRICT', root, selector)], plain)).to.equal(true);
      const onPort = { ...selector, portLevelMtls: { 8443: { mode: 'PERMISSIVE' } } };
      expect(allowed([peers('STRICT', {}, onPort)], plain)).to.equal(true);
      expect(allowed([peers('STRICT', {}, onPort)], { ...plain, port: 80 })).to.equal(false);
    });

    it('takes the oldest of a scope', () => {
      const young = peers('STRICT', { creationTimestamp: '2026-02-01T00:00:00Z' });
      const old = peers('PERMISSIVE', { name: 'q', creationTimestamp: '2026-01-01T00:00:00Z' });
      expect(allowed([young, old], plain)).to.equal(true);
      expect(allowed([young, peers('PERMISSIVE', { name: 'q' })], plain)).to.equal(false);
    });
  });
});
