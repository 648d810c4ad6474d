/** What is left of walls when a policy, a consent, a boundary, an identity or the say over a namespace goes. */

import { expect } from 'chai';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { PolicyObject } from '../../../src/controllers/mesh/digest.ts';
import { AUTHORIZATION_POLICY } from '../../../src/controllers/mesh/kinds.ts';
import { LABEL_IDENTITY, meshObjectName } from '../../../src/domain/mesh/names.ts';
import { CONFIG_MAP, NAMESPACE } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { APPLY, boundary, GET, PolicyCluster, policy } from '../../support/policies.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** The caller of each agent; undefined: nobody may call it. */
type Callers = Readonly<Record<string, string | undefined>>;

const WALL = ['allow', 'fence', 'mtls', 'net'] as const;
const NAMESPACES = [AGENTS, 'tools'];
const NAMES = ['coordinator', 'deployer', 'analyst', 'writer', 'validator'].map((name) => `agent-${name}`);
const POLICIES = ['swarm', 'remote'];
/** Of the running example, and of one agent more: in another namespace, and it consents. */
const CALLERS: Callers = {
  'ai-agents/agent-coordinator': undefined,
  'ai-agents/agent-deployer': 'agent-coordinator',
  'ai-agents/agent-analyst': 'agent-coordinator',
  'ai-agents/agent-writer': 'agent-coordinator',
  'ai-agents/agent-validator': 'agent-deployer',
  'tools/archive': 'agent-coordinator',
};
const REMOTE = policy('remote', { from: 'agent-coordinator', to: ['tools/archive'] });
const CONSENT = { acceptFrom: [{ namespace: AGENTS, agents: ['agent-coordinator'] }] };
const OTHER_DOMAIN =
  "TrustDomainMismatch: The mesh's trust domain is example.org, the rendered principals are of cluster.local";

/** These agents let in nobody. */
function closed(...ids: readonly string[]): Callers {
  return Object.fromEntries(ids.map((id) => [id, undefined]));
}

/** The specs of a wall. */
function wallOf(id: string, caller: string | undefined): object {
  const [namespace, name = ''] = id.split('/');
  const selector = { matchLabels: { [LABEL_IDENTITY]: namespace === AGENTS ? `${name}-sa` : name } };
  const mtls = { selector, mtls: { mode: 'STRICT' } };
  const fence = (principal: string): object => {
    return { selector, action: 'DENY', rules: [{ from: [{ source: { notPrincipals: [principal] } }] }] };
  };
  const net = { podSelector: selector, policyTypes: ['Ingress'] };
  if (caller === undefined) {
    return { allow: { selector, action: 'ALLOW' }, fence: fence('cluster.local/ns/-/sa/-'), mtls, net };
  }
  const principal = `cluster.local/ns/${AGENTS}/sa/${caller}-sa`;
  const operation = { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] };
  const rules = [{ from: [{ source: { principals: [principal] } }], to: [{ operation }] }];
  const peer = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': AGENTS } },
    podSelector: { matchLabels: { [LABEL_IDENTITY]: `${caller}-sa` } },
  };
  const ingress = [{ from: [peer], ports: [{ protocol: 'TCP', port: 8443 }] }];
  return {
    allow: { selector, action: 'ALLOW', rules },
    fence: fence(principal),
    mtls,
    net: { ...net, ingress },
  };
}

describe('the walls around agents when something goes', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);
  let cluster: MeshCluster;
  let graph: PolicyCluster;
  let operator: RunningOperator;

  before(async () => {
    await applyIstioCrds(controlPlane());
    cluster = new MeshCluster(swarm());
    graph = new PolicyCluster(swarm().client);
    for (const name of NAMESPACES) await cluster.label({ 'istio-injection': 'enabled' }, name);
    for (const file of ['agents', 'policy']) await cluster.apply(`examples/swarm/${file}.yaml`);
    await swarm().createAgent('archive', { capabilities: [GET], ...CONSENT }, 'tools');
    await graph.apply(AGENTS, REMOTE);
    await govern(NAMESPACES);
    await expectWalls();
  });
  after(() => operator?.stop());

  /** Starts the operator with the rights that the chart gives it for these namespaces. */
  async function govern(namespaces: readonly string[]): Promise<void> {
    await operator?.stop();
    await installChart({ kubeconfigPath: controlPlane().kubeconfigPath, namespaces });
    const flags = [`--namespaces=${namespaces.join(',')}`];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
  }

  /** Waits until on the server are the walls of all agents, with these callers in place of their own, and no more. */
  async function expectWalls(callers: Callers = {}): Promise<void> {
    const wanted = Object.entries({ ...CALLERS, ...callers }).map(([id, caller]) => [id, wallOf(id, caller)]);
    await eventually('the walls to be as they should be', async () =>
      expect(await walls()).to.deep.equal(Object.fromEntries(wanted)),
    );
  }

  /** Every spec on the server by agent and role. */
  async function walls(): Promise<object> {
    const found: Record<string, Record<string, unknown>> = {};
    for (const { metadata, spec } of await cluster.policies(NAMESPACES)) {
      const [, role = ''] = metadata.name.split('-');
      const id = `${metadata.namespace}/${metadata.labels?.['agenttrust.dev/agent']}`;
      found[id] = { ...found[id], [role]: spec };
    }
    return found;
  }

  it('let in nobody by a policy that is gone', async () => {
    await swarm().client.delete(DELEGATION_POLICY, { namespace: AGENTS, name: 'remote' });
    await expectWalls(closed('tools/archive'));
    await graph.apply(AGENTS, REMOTE);
    await expectWalls();
  });

  it('let in nobody of another namespace without consent', async () => {
    await graph.change('tools', 'archive', { acceptFrom: [] });
    await expectWalls(closed('tools/archive'));
    await graph.change('tools', 'archive', CONSENT);
    await expectWalls();
  });

  it('let in again whom a boundary kept out, when it goes', async () => {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': AGENTS } };
    await graph.apply(
      AGENTS,
      boundary('readers', { namespaceSelector, capabilities: [{ name: 'read_file' }] }),
    );
    await expectWalls(closed('ai-agents/agent-deployer', 'ai-agents/agent-validator', 'tools/archive'));
    await swarm().client.delete(CAPABILITY_BOUNDARY, { name: 'readers' });
    await expectWalls();
  });

  it('are a tombstone of an agent that is gone, until the last of its pods is', async () => {
    const name = 'agent-deployer';
    const { net, ...istio } = wallOf(`${AGENTS}/${name}`, undefined) as Record<string, object>;
    const tombstone = { ...istio, net: { ...net, policyTypes: ['Ingress', 'Egress'] } };
    const check = (objects: Readonly<Record<string, PolicyObject>>): void => {
      const specs = Object.entries(objects).map(([role, { spec }]) => [role, spec]);
      expect(Object.fromEntries(specs)).to.deep.equal(tombstone);
      for (const { metadata } of Object.values(objects)) {
        expect(metadata.annotations).to.equal(undefined);
        expect(metadata.labels).to.deep.equal({
          'agenttrust.dev/managed': 'true',
          'agenttrust.dev/agent': name,
          'agenttrust.dev/tombstone': 'true',
        });
      }
    };
    for (const pod of ['first', 'last']) await cluster.createPod(pod, `${name}-sa`);
    await cluster.condition(name, 'MeshReady', ['Covered', '(2)']);
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name });
    await cluster.objectsOf(name, WALL, check);
    await cluster.objectsOf('agent-validator', WALL, ({ allow }) => allow?.spec?.['rules'] === undefined);
    const before = await looks();
    await cluster.deletePod('first');
    await eventually('the operator to have looked', async () => (await looks()) > before);
    check(await cluster.objectsOf(name, WALL));
    await cluster.deletePod('last');
    await cluster.objectsOf(name, []);
    await swarm().createIdentity(name, { serviceAccountName: `${name}-sa`, capabilities: [GET, APPLY] });
    await expectWalls();
  });

  /** Only agents that are gone have nothing more to wait for. */
  async function looks(): Promise<number> {
    const labels = 'controller="agentidentity",result="success"';
    return sumOfSamples(await operator.registry.metrics(), 'controller_runtime_reconcile_total', labels);
  }

  it('say so while the mesh is of another trust domain', async () => {
    const before = await cluster.policies(NAMESPACES);
    await swarm().client.create(NAMESPACE, { metadata: { name: 'istio-system' } });
    const metadata = { namespace: 'istio-system', name: 'istio' };
    await swarm().client.create<ConfigMap>(CONFIG_MAP, { metadata, data: { mesh: '' } });
    for (const [mesh, reason, message] of [
      ['trustDomain: example.org\ntrustDomainAliases:\n- old.example.org\n', 'Degraded', OTHER_DOMAIN],
      ['trustDomain: example.org\ntrustDomainAliases:\n- cluster.local\n', 'Covered', ''],
      ['trustDomain: "example.org" # ours\n', 'Degraded', OTHER_DOMAIN],
      ['trustDomain: cluster.local\n', 'Covered', ''],
    ] as const) {
      await swarm().client.mergePatch(CONFIG_MAP, { ...metadata, patch: { data: { mesh } } });
      for (const name of NAMES) {
        const { status } = await cluster.condition(name, 'MeshReady', [reason, message]);
        expect(status).to.equal(reason === 'Covered' ? 'True' : 'False');
      }
    }
    expect(await cluster.policies(NAMESPACES)).to.deep.equal(before);
  });

  it('stay as they are in a namespace that is governed no more', async () => {
    const before = await cluster.policies();
    await govern(['tools']);
    for (const name of NAMES) {
      await swarm().ready(name, 'NamespaceNotGoverned');
    }
    for (const name of POLICIES) {
      await graph.settles(AGENTS, name, (_status, { Ready }) => Ready === 'False NamespaceNotGoverned');
    }
    await expectWalls(closed('tools/archive'));
    expect(await cluster.policies()).to.deep.equal(before);
  });

  it('are kept again when it is governed', async () => {
    const target = { namespace: AGENTS, name: 'agent-writer' };
    const name = meshObjectName('allow', target);
    const patch = { spec: { rules: [{}] } };
    await swarm().client.mergePatch(AUTHORIZATION_POLICY, { ...target, name, patch });
    await govern(NAMESPACES);
    await expectWalls();
    for (const each of NAMES) await swarm().ready(each);
    for (const each of POLICIES) {
      await graph.settles(AGENTS, each, (_status, { Ready }) => Ready === 'True Accepted');
    }
  });
});
