/** The wall around an agent: what the operator writes for the mesh, keeps, reports and takes away again. */

import { expect } from 'chai';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { PolicyObject } from '../../../src/controllers/mesh/digest.ts';
import {
  AUTHORIZATION_POLICY,
  NETWORK_POLICY,
  PEER_AUTHENTICATION,
  typeOfRole,
} from '../../../src/controllers/mesh/kinds.ts';
import type { MeshRole } from '../../../src/domain/mesh/model.ts';
import { meshObjectName } from '../../../src/domain/mesh/names.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { allows } from '../../support/mesh/evaluate.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Refuses NetworkPolicies for an agent called `limited`. */
const REFUSAL = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'limited' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['networking.k8s.io'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['networkpolicies'],
            },
          ],
        },
        validations: [{ expression: "!object.metadata.name.contains('limited')", message: 'no' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'limited' },
      spec: { policyName: 'limited', validationActions: ['Deny'] },
    },
  ],
};
const WALL: readonly MeshRole[] = ['allow', 'fence', 'mtls', 'net'];
const FLAGS = [`--namespaces=${AGENTS}`];

function principal(agent: string): string {
  return `cluster.local/ns/${AGENTS}/sa/${agent}-sa`;
}

/** The one object of a role. */
function nameOf(role: MeshRole, agent: string): { readonly namespace: string; readonly name: string } {
  return { namespace: AGENTS, name: meshObjectName(role, { namespace: AGENTS, name: agent }) };
}

describe('the wall of an agent in a mesh', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let cluster: MeshCluster;
  let operator: RunningOperator;

  before(async () => {
    await applyIstioCrds(controlPlane());
    cluster = new MeshCluster(swarm());
    await cluster.label({ 'istio-injection': 'enabled' });
    await cluster.apply('examples/swarm/agents.yaml');
    await cluster.apply('examples/swarm/policy.yaml');
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  });
  after(() => operator?.stop());

  /** Whether an agent may call another on the route that every agent has. */
  async function mayCall(from: string, to: string): Promise<boolean> {
    const labels = (agent: string) => ({ 'agenttrust.dev/identity': `${agent}-sa` });
    const request = {
      principal: principal(from),
      namespace: AGENTS,
      labels: labels(from),
      port: 8443,
      method: 'POST',
      path: '/v1/delegate',
      tokenVerified: true,
    };
    return allows(await cluster.policies(), { namespace: AGENTS, labels: labels(to) }, request).allowed;
  }

  async function patchIdentity(name: string, spec: object): Promise<void> {
    await swarm().client.mergePatch(AGENT_IDENTITY, { namespace: AGENTS, name, patch: { spec } });
  }

  it('lets in exactly those whom the policy names', async () => {
    for (const agent of ['agent-coordinator', 'agent-deployer', 'agent-validator']) {
      await swarm().ready(agent);
    }
    const { uid } = (await swarm().identity('agent-deployer')).metadata;
    const selector = { matchLabels: { 'agenttrust.dev/identity': 'agent-deployer-sa' } };
    const objects = await cluster.objectsOf('agent-deployer', WALL);
    expect(objects['allow']?.spec).to.deep.equal({
      selector,
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: [principal('agent-coordinator')] } }],
          to: [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }],
        },
      ],
    });
    expect(objects['fence']?.spec).to.deep.equal({
      selector,
      action: 'DENY',
      rules: [{ from: [{ source: { notPrincipals: [principal('agent-coordinator')] } }] }],
    });
    expect(objects['mtls']?.spec).to.deep.equal({ selector, mtls: { mode: 'STRICT' } });
    expect(objects['net']?.spec).to.deep.equal({
      podSelector: selector,
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': AGENTS } },
              podSelector: { matchLabels: { 'agenttrust.dev/identity': 'agent-coordinator-sa' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 8443 }],
        },
      ],
    });
    for (const { metadata } of Object.values(objects)) {
      expect(metadata.labels).to.deep.equal({
        'agenttrust.dev/managed': 'true',
        'agenttrust.dev/agent': 'agent-deployer',
      });
      expect(metadata.annotations).to.deep.equal({ 'agenttrust.dev/owner-uid': uid });
      expect(metadata.ownerReferences).to.equal(undefined);
    }
    expect(await mayCall('agent-coordinator', 'agent-deployer')).to.equal(true);
    expect(await mayCall('agent-analyst', 'agent-deployer')).to.equal(false);
    expect(await mayCall('agent-deployer', 'agent-coordinator')).to.equal(false);
    const covered = await cluster.condition('agent-deployer', 'MeshReady', ['Covered']);
    expect(covered.message).to.equal('No pod runs as this agent.');
    await cluster.condition('agent-deployer', 'Enforced', ['Enforce']);
  });

  it('is left alone by an operator that starts anew', async () => {
    const versions = async (): Promise<readonly string[]> =>
      (await cluster.policies()).map(
        ({ metadata }) => (metadata as unknown as { resourceVersion: string }).resourceVersion,
      );
    const before = await versions();
    await operator.stop();
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
    await eventually('every identity to be looked at', async () => {
      const text = await operator.registry.metrics();
      return sumOfSamples(text, 'controller_runtime_reconcile_total', 'controller="agentidentity"') >= 5;
    });
    expect(sumOfSamples(await operator.registry.metrics(), 'agent_trust_mesh_writes_total')).to.equal(0);
    expect(await versions()).to.deep.equal(before);
  });

  for (const [what, role, patch] of [
    ['an open ALLOW policy', 'allow', { spec: { rules: [{}] } }],
    [
      'rules on a policy that had none',
      'allow',
      { spec: { rules: [{ to: [{ operation: { ports: ['1'] } }] }] } },
    ],
    [
      'a DENY policy for nobody',
      'fence',
      { spec: { rules: [{ from: [{ source: { namespaces: ['x'] } }] }] } },
    ],
    ['a policy that only records', 'fence', { metadata: { annotations: { 'istio.io/dry-run': 'true' } } }],
    ['mutual TLS that is not demanded', 'mtls', { spec: { mtls: { mode: 'PERMISSIVE' } } }],
    ['other pods in the selector', 'net', { spec: { podSelector: { matchLabels: { other: 'pods' } } } }],
    ['lost labels', 'allow', { metadata: { labels: null, annotations: null } }],
    [
      'an owner that is to take it along',
      'allow',
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }] } },
    ],
  ] as const) {
    it(`is put back after somebody made ${what} of it`, async () => {
      const before = await cluster.objects('agent-validator');
      await swarm().client.mergePatch(typeOfRole(role), { ...nameOf(role, 'agent-validator'), patch });
      await eventually('the object to be as before', async () => {
        const { spec, metadata } = (await cluster.objects('agent-validator'))[role] ?? {};
        expect(spec).to.deep.equal(before[role]?.spec);
        expect(metadata?.labels).to.deep.equal(before[role]?.metadata.labels);
        expect(metadata?.annotations).to.deep.equal(before[role]?.metadata.annotations);
        expect(metadata?.ownerReferences).to.equal(undefined);
        return true;
      });
    });
  }

  it('is put back after somebody deleted a part of it, again and again', async () => {
    for (const role of ['allow', 'fence', 'mtls', 'net'] as const) {
      const target = nameOf(role, 'agent-validator');
      const { uid = '' } = (await swarm().client.get(typeOfRole(role), target)).metadata;
      await swarm().client.delete(typeOfRole(role), target);
      await eventually(`${role} to be back`, async () => {
        const found = await swarm().client.find(typeOfRole(role), target);
        return found !== undefined && found.metadata.uid !== uid;
      });
    }
    const { note } = await cluster.event('agent-validator', 'RepairLoop');
    expect(note).to.include('-l agenttrust.dev/agent=agent-validator');
  });

  it('keeps what others add to it that changes nothing', async () => {
    const target = nameOf('allow', 'agent-writer');
    const patch = { metadata: { labels: { team: 'red' }, annotations: { 'example.org/note': 'x' } } };
    await swarm().client.mergePatch(AUTHORIZATION_POLICY, { ...target, patch });
    await swarm().client.mergePatch(AUTHORIZATION_POLICY, { ...target, patch: { spec: { rules: [{}] } } });
    const objects = await cluster.objectsOf('agent-writer', WALL, ({ allow }) =>
      expect(allow?.spec?.['rules']).to.have.length(1).and.not.deep.equal([{}]),
    );
    expect(objects['allow']?.metadata.labels).to.include({ team: 'red' });
    expect(objects['allow']?.metadata.annotations).to.include({ 'example.org/note': 'x' });
  });

  it('takes over a name that somebody else took', async () => {
    const squatter: PolicyObject = {
      metadata: nameOf('allow', 'newcomer'),
      spec: { action: 'ALLOW', rules: [{}] },
    };
    const { uid } = (await swarm().client.create<PolicyObject>(AUTHORIZATION_POLICY, squatter)).metadata;
    await swarm().createAgent('newcomer');
    await swarm().ready('newcomer');
    const { allow } = await cluster.objectsOf('newcomer', WALL);
    expect(allow?.metadata.uid).to.equal(uid);
    expect(allow?.spec).to.deep.equal({
      selector: { matchLabels: { 'agenttrust.dev/identity': 'newcomer' } },
      action: 'ALLOW',
    });
    const { note } = await cluster.event('newcomer', 'PolicySquatted');
    expect(note).to.include(`AuthorizationPolicy ${squatter.metadata.name} was there and not ours`);
  });

  it('is closed when the policy that let somebody in goes, and open again when it comes back', async () => {
    await swarm().client.delete(DELEGATION_POLICY, { namespace: AGENTS, name: 'swarm' });
    await cluster.objectsOf('agent-deployer', WALL, ({ allow }) => allow?.spec?.['rules'] === undefined);
    await eventually(
      'nobody to be let in',
      async () => !(await mayCall('agent-coordinator', 'agent-deployer')),
    );
    await cluster.apply('examples/swarm/policy.yaml');
    await eventually('the coordinator to be let in', () => mayCall('agent-coordinator', 'agent-deployer'));
  });

  it('is closed while the agent is suspended, and keeps it from calling anybody', async () => {
    await patchIdentity('agent-deployer', { suspended: true });
    await swarm().ready('agent-deployer', 'Quarantined');
    const objects = await cluster.objectsOf('agent-deployer', WALL);
    expect(objects['allow']?.spec).to.not.have.property('rules');
    expect(objects['net']?.spec).to.deep.equal({
      podSelector: { matchLabels: { 'agenttrust.dev/identity': 'agent-deployer-sa' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    await patchIdentity('agent-deployer', { suspended: false });
    await swarm().ready('agent-deployer');
    await eventually('the coordinator to be let in', () => mayCall('agent-coordinator', 'agent-deployer'));
  });

  it('is closed while the spec cannot be served, and says why', async () => {
    const callers = [{ serviceAccounts: [`${AGENTS}/agent-analyst-sa`], ports: [8443], paths: ['/healthz'] }];
    await patchIdentity('agent-deployer', { callers });
    await cluster.condition('agent-deployer', 'Ready', [
      'InvalidSpec',
      `spec.callers[0].serviceAccounts[0] ${AGENTS}/agent-analyst-sa is the identity of an agent`,
    ]);
    await cluster.objectsOf('agent-deployer', WALL, ({ allow }) => allow?.spec?.['rules'] === undefined);
    await patchIdentity('agent-deployer', { callers: null });
    await swarm().ready('agent-deployer');
  });

  it('lets in callers that are no agents, on their paths alone', async () => {
    const callers = [
      { serviceAccounts: ['istio-ingress/gateway'], ports: [8443], methods: ['GET'], paths: ['/healthz'] },
    ];
    await patchIdentity('agent-analyst', { callers });
    const { allow } = await cluster.objectsOf('agent-analyst', WALL, ({ allow: object }) =>
      expect(object?.spec?.['rules']).to.have.length(2),
    );
    expect(allow?.spec?.['rules']).to.deep.include({
      from: [{ source: { principals: ['cluster.local/ns/istio-ingress/sa/gateway'] } }],
      to: [{ operation: { ports: ['8443'], methods: ['GET'], paths: ['/healthz'] } }],
    });
  });

  it('only records with enforcement DryRun, and says so', async () => {
    await swarm().createAgent('recorder', { enforcement: 'DryRun' });
    await swarm().ready('recorder');
    const objects = await cluster.objectsOf('recorder', ['dryallow', 'dryfence', 'mtls']);
    expect(objects['dryfence']?.metadata.annotations).to.include({ 'istio.io/dry-run': 'true' });
    expect(objects['mtls']?.spec?.['mtls']).to.deep.equal({ mode: 'PERMISSIVE' });
    await cluster.condition('recorder', 'Enforced', ['DryRun']);
    await patchIdentity('recorder', { enforcement: 'Enforce' });
    await cluster.objectsOf('recorder', WALL);
    await cluster.condition('recorder', 'Enforced', ['Enforce']);
  });

  it('names the pods that are not behind it, and what to do', async () => {
    await cluster.createPod('stands', 'agent-writer-sa');
    await cluster.condition('agent-writer', 'MeshReady', ['Covered', '(1)']);
    const cases = [
      ['bare', { isLabelled: false }, 'UnlabelledPods: 1 of 2 pods is open to every caller'],
      ['alone', { isMeshed: false }, 'NotMeshed: 1 of 2 pods is without a proxy of the mesh'],
      ['on-host', { hostNetwork: true }, 'HostNetwork: 1 of 2 pods is on the network of the node'],
      [
        'past',
        { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8443' } },
        'TrafficExcluded: 1 of 2 pods is called past the proxy',
      ],
    ] as const;
    for (const [name, traits, message] of cases) {
      await cluster.createPod(name, 'agent-writer-sa', traits);
      const condition = await cluster.condition('agent-writer', 'MeshReady', ['Degraded', message]);
      expect(condition.message).to.include(name);
      expect((await swarm().ready('agent-writer')).status?.certificate?.serialNumber).to.be.a('string');
      await cluster.deletePod(name);
      await cluster.condition('agent-writer', 'MeshReady', ['Covered']);
    }
    await cluster.event('agent-writer', 'MeshDegraded');
  });

  it('reports what others let in', async () => {
    const labels = { 'agenttrust.dev/identity': 'agent-writer-sa' };
    const foreign = [
      [
        AUTHORIZATION_POLICY,
        { selector: { matchLabels: labels }, action: 'ALLOW', rules: [{}] },
        `ForeignAllow: AuthorizationPolicies of others with action ALLOW select these pods: ${AGENTS}/foreign`,
      ],
      [
        NETWORK_POLICY,
        { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
        `ForeignNetworkPolicy: NetworkPolicies only add up, and others select these pods: ${AGENTS}/foreign`,
      ],
    ] as const;
    for (const [type, spec, message] of foreign) {
      const object: PolicyObject = { metadata: { namespace: AGENTS, name: 'foreign' }, spec };
      await swarm().client.create<PolicyObject>(type, object);
      await cluster.condition('agent-writer', 'MeshReady', ['Degraded', message]);
      expect(await mayCall('agent-analyst', 'agent-writer')).to.equal(false);
      await swarm().client.delete(type, { namespace: AGENTS, name: 'foreign' });
      await cluster.condition('agent-writer', 'MeshReady', ['Covered']);
    }
  });

  it('reports an older PeerAuthentication that takes calls without mutual TLS', async () => {
    const object: PolicyObject = {
      metadata: { namespace: AGENTS, name: 'legacy' },
      spec: {
        selector: { matchLabels: { 'agenttrust.dev/identity': 'latecomer' } },
        mtls: { mode: 'PERMISSIVE' },
      },
    };
    const { metadata } = await swarm().client.create<PolicyObject>(PEER_AUTHENTICATION, object);
    // Creation times have whole seconds.
    await eventually(
      'the next second',
      () => Date.now() > Date.parse(metadata.creationTimestamp ?? '') + 1_000,
    );
    await swarm().createAgent('latecomer');
    await cluster.createPod('late', 'latecomer');
    await cluster.condition('latecomer', 'MeshReady', [
      'Degraded',
      `PermissivePeer: PeerAuthentication ${AGENTS}/legacy is older than ours and says PERMISSIVE`,
    ]);
    await swarm().client.delete(PEER_AUTHENTICATION, { namespace: AGENTS, name: 'legacy' });
    await cluster.condition('latecomer', 'MeshReady', ['Covered']);
  });

  it('stays closed after the agent is deleted until its last pod is gone', async () => {
    await swarm().createAgent('mortal');
    await swarm().ready('mortal');
    await cluster.createPod('last', 'mortal');
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'mortal' });
    const tombstone = await cluster.objectsOf('mortal', WALL, (objects) =>
      Object.values(objects).every(
        ({ metadata }) => metadata.labels?.['agenttrust.dev/tombstone'] === 'true',
      ),
    );
    expect(tombstone['allow']?.spec).to.not.have.property('rules');
    await cluster.deletePod('last');
    await cluster.objectsOf('mortal', []);
  });

  it('is taken over by an agent that comes again', async () => {
    await swarm().createAgent('phoenix');
    await swarm().ready('phoenix');
    await cluster.createPod('ashes', 'phoenix');
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'phoenix' });
    await cluster.objectsOf(
      'phoenix',
      WALL,
      ({ net }) => net?.metadata.labels?.['agenttrust.dev/tombstone'] === 'true',
    );
    const { uid } = (await swarm().createIdentity('phoenix')).metadata;
    await swarm().ready('phoenix');
    await cluster.objectsOf('phoenix', WALL, (objects) =>
      Object.values(objects).every(
        ({ metadata }) =>
          metadata.labels?.['agenttrust.dev/tombstone'] === undefined &&
          metadata.annotations?.['agenttrust.dev/owner-uid'] === uid,
      ),
    );
  });

  it('of a second identity on one ServiceAccount is none, so that it shuts out nobody', async () => {
    const { metadata } = await swarm().createAgent('holder', { serviceAccountName: 'shared' });
    await swarm().ready('holder');
    await eventually('the next second', () => Date.now() > Date.parse(metadata.creationTimestamp) + 1_000);
    await swarm().createIdentity('second', { serviceAccountName: 'shared' });
    await swarm().ready('second', 'ServiceAccountTaken');
    expect(await cluster.objects('second')).to.deep.equal({});
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'holder' });
    await swarm().ready('second');
    await cluster.objectsOf('second', WALL);
    await cluster.objectsOf('holder', []);
  });
});

describe('the wall of an agent without a mesh', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let cluster: MeshCluster;
  let operator: RunningOperator;

  before(async () => {
    cluster = new MeshCluster(swarm());
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  });
  after(() => operator?.stop());

  it('is a NetworkPolicy, and the agent says that there is no more', async () => {
    await swarm().createAgent('lonely');
    await swarm().ready('lonely');
    const net = await cluster.client.get<PolicyObject>(NETWORK_POLICY, nameOf('net', 'lonely'));
    expect(net.spec).to.deep.equal({
      podSelector: { matchLabels: { 'agenttrust.dev/identity': 'lonely' } },
      policyTypes: ['Ingress'],
    });
    await cluster.condition('lonely', 'MeshReady', ['NotInstalled', 'serves no AuthorizationPolicy']);
  });

  it('that cannot be written keeps no certificate away, and says what refuses it', async () => {
    await controlPlane().kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(REFUSAL) });
    await eventually('the refusal to be in force', async () => {
      const metadata = { namespace: AGENTS, name: 'limited-probe' };
      try {
        await swarm().client.create<PolicyObject>(NETWORK_POLICY, { metadata, spec: { podSelector: {} } });
        await swarm().client.delete(NETWORK_POLICY, metadata);
        return false;
      } catch (error) {
        return isKubeError(error, 'KUBE_INVALID', 'KUBE_FORBIDDEN');
      }
    });
    await swarm().createAgent('limited');
    const { status } = await swarm().ready('limited', 'MeshFailed');
    expect(status?.certificate?.serialNumber).to.be.a('string');
    await cluster.condition('limited', 'CertificateReady', ['Issued']);
    await cluster.condition('limited', 'MeshReady', ['Degraded', 'create networkpolicies']);
    await cluster.event('limited', 'MeshFailed');
    await controlPlane().kubectl(['delete', '-f', '-'], { stdin: JSON.stringify(REFUSAL) });
    await swarm().ready('limited');
  });

  it('grows when Istio is installed, and says that the namespace is not in the mesh yet', async () => {
    await applyIstioCrds(controlPlane());
    await cluster.objectsOf('lonely', WALL);
    await cluster.condition('lonely', 'MeshReady', ['Degraded', 'NamespaceNotMeshed']);
    await cluster.label({ 'istio.io/dataplane-mode': 'ambient' });
    await cluster.condition('lonely', 'MeshReady', ['Degraded', 'LayerFourOnly']);
    await cluster.label({ 'istio.io/use-waypoint': 'waypoint' });
    await cluster.condition('lonely', 'MeshReady', ['Degraded', 'WaypointNotYet']);
  });

  it('stands as long as one of the definitions of Istio is there', async () => {
    const before = await cluster.objectsOf('lonely', WALL);
    await controlPlane().kubectl(['delete', 'crd', 'peerauthentications.security.istio.io']);
    await cluster.condition('lonely', 'MeshReady', ['Pending', 'serves only one of AuthorizationPolicy and']);
    await swarm().ready('lonely', 'MeshPending');
    const { allow, fence, net } = before;
    expect(await cluster.objects('lonely')).to.deep.equal({ allow, fence, net });
    await applyIstioCrds(controlPlane());
    await cluster.objectsOf('lonely', WALL);
    await swarm().ready('lonely');
  });

  it('shrinks when Istio is taken away', async () => {
    await controlPlane().kubectl([
      'delete',
      'crd',
      'authorizationpolicies.security.istio.io',
      'peerauthentications.security.istio.io',
    ]);
    await cluster.condition('lonely', 'MeshReady', ['NotInstalled']);
    expect((await swarm().ready('lonely')).status?.observedGeneration).to.equal(1);
  });
});
