/** What becomes of the walls around agents when their namespace is deleted, with pods that take their time. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { AUTHORIZATION_POLICY, POD } from '../../../src/controllers/mesh/kinds.ts';
import type { Pod } from '../../../src/controllers/mesh/pod-record.ts';
import type { MeshRole } from '../../../src/domain/mesh/model.ts';
import { LABEL_IDENTITY, meshObjectName } from '../../../src/domain/mesh/names.ts';
import { NAMESPACE } from '../../../src/kube/core-types.ts';
import { auditedWrites, credentialIdOf } from '../../support/audit-log.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { meshAllows } from '../../support/mesh/evaluate.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { networkAllows } from '../../support/mesh/network-policy.ts';
import type { CalledPod, MeshRequest, PolicyObject } from '../../support/mesh/policy-object.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type HistoryStep, MeshHistory } from '../../support/mesh-history.ts';
import { OPERATOR_ACCOUNT, type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const WALL = ['allow', 'fence', 'mtls', 'net'] as const;
const NAMES = ['coordinator', 'deployer', 'analyst', 'writer', 'validator'].map((name) => `agent-${name}`);
/** Finalizer of pods that take their time. */
const HELD = 'example.org/in-no-hurry';
/** What says that nobody may call goes last. */
const GRAVE_ORDER = ['mtls', 'net', 'fence', 'allow'];
/** The Lease outlives an API server that is started again on a busy machine. */
const FLAGS = [`--namespaces=${AGENTS}`, '--lease-duration=90s', '--renew-deadline=80s'];
const SWARM_FILES = ['examples/swarm/agents.yaml', 'examples/swarm/policy.yaml'];

function labelsOf(agent: string): Readonly<Record<string, string>> {
  return { [LABEL_IDENTITY]: `${agent}-sa` };
}

/** Calls to an agent: of every agent, of a stranger, and without certificate. */
const CALLS: readonly MeshRequest[] = ['/v1/delegate', '/elsewhere'].flatMap((path) =>
  [...NAMES, 'stranger', undefined].map((caller) => ({
    principal: caller && `cluster.local/ns/${AGENTS}/sa/${caller}-sa`,
    namespace: AGENTS,
    labels: caller !== undefined && NAMES.includes(caller) ? labelsOf(caller) : {},
    port: 8443,
    method: 'POST',
    path,
    tokenVerified: true,
  })),
);

/** What the mesh lets through to an agent, and what the network does: each has to hold without the other. */
function opened(objects: readonly PolicyObject[], agent: string): readonly string[] {
  const pod: CalledPod = { namespace: AGENTS, labels: labelsOf(agent), trustDomain: 'cluster.local' };
  return [meshAllows, networkAllows].flatMap((layer) =>
    CALLS.filter((call) => layer(objects, pod, call).allowed).map(
      ({ principal, path }) => `${layer.name} ${principal} ${agent}${path}`,
    ),
  );
}

function nameOf(role: MeshRole, name: string): string {
  return meshObjectName(role, { namespace: AGENTS, name });
}

function agentOf({ metadata }: PolicyObject): string {
  return metadata.labels?.['agenttrust.dev/agent'] ?? '';
}

function versionOf({ metadata }: { readonly metadata: object }): bigint {
  return BigInt((metadata as { readonly resourceVersion?: string }).resourceVersion ?? 0);
}

/** Notes at which version of the server each pod was gone. */
class PodWatch {
  readonly goneAt: Map<string, bigint> = new Map();
  readonly #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  async start({ client }: MeshCluster): Promise<void> {
    const { resourceVersion } = await client.list(POD);
    this.#ended = client.watch(POD, {
      resourceVersion,
      timeoutSeconds: 3_600,
      signal: this.#abort.signal,
      onLine: (line) => {
        const { type, object } = JSON.parse(line.toString()) as {
          readonly type: string;
          readonly object: Pod;
        };
        if (type === 'DELETED') this.goneAt.set(object.metadata.name, versionOf(object));
      },
    });
    this.#ended.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended.catch(() => {});
  }
}

describe('the walls of a namespace that is deleted', () => {
  const controlPlane = useControlPlane({ controllerManager: true, auditLog: true });
  const swarm = useSwarm(controlPlane);
  const pods = new PodWatch();
  let cluster: MeshCluster;
  let history: MeshHistory;
  let operator: RunningOperator;
  let openBefore: ReadonlyMap<string, readonly string[]>;
  let writesBefore = 0;
  let givenUpBefore = 0;

  before(async () => {
    await applyIstioCrds(controlPlane());
    cluster = new MeshCluster(swarm());
    history = new MeshHistory(swarm().client);
    await history.start();
    await pods.start(cluster);
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
    await populate();
  });
  after(async () => {
    await pods.stop();
    await history?.stop();
    await operator?.stop();
  });

  /** The running example with a running pod for each agent. */
  async function populate(): Promise<void> {
    await cluster.label({ 'istio-injection': 'enabled' });
    for (const file of SWARM_FILES) await cluster.apply(file);
    for (const name of NAMES) await runPod(name);
    for (const name of NAMES) {
      await swarm().ready(name);
      await cluster.condition(name, 'MeshReady', ['Covered', '(1)']);
    }
  }

  async function runPod(name: string): Promise<void> {
    await swarm().client.create<Pod>(POD, {
      metadata: { name, namespace: AGENTS, labels: labelsOf(name), finalizers: [HELD] },
      spec: {
        serviceAccountName: `${name}-sa`,
        containers: ['agent', 'istio-proxy'].map((each) => ({ name: each, image: 'example.org/none' })),
      },
    });
    const patch = JSON.stringify({ status: { phase: 'Running' } });
    const command = ['patch', 'pod', name, `--namespace=${AGENTS}`, '--subresource=status', '--type=merge'];
    await controlPlane().kubectl([...command, `--patch=${patch}`]);
  }

  async function letGo(name: string): Promise<void> {
    const patch = { metadata: { finalizers: null } };
    await swarm().client.mergePatch(POD, { namespace: AGENTS, name, patch });
  }

  function isGone(): Promise<boolean> {
    return eventually(
      'the namespace to be gone',
      async () => (await swarm().client.find(NAMESPACE, { name: AGENTS })) === undefined,
    );
  }

  /** What the operator wrote into the namespace: `<status> <verb> <resource> <name>`. */
  async function writes(): Promise<readonly string[]> {
    const directory = await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT);
    const token = await readFile(join(directory, 'token'), 'utf8');
    return (await auditedWrites(controlPlane(), [credentialIdOf(token)]))
      .filter(({ what }) => what.includes(` ${AGENTS}`))
      .map(({ what, status }) => `${status} ${what}`);
  }

  async function sample(name: string, labels = ''): Promise<number> {
    return sumOfSamples(await operator.registry.metrics(), name, labels);
  }

  /** Only agents that are gone have nothing more to wait for. */
  function givenUp(): Promise<number> {
    return sample('controller_runtime_reconcile_total', 'controller="agentidentity",result="success"');
  }

  /** Steps at which something is open to a pod that is there still, and was not before. */
  function holes(steps: readonly HistoryStep[]): readonly string[] {
    return steps.flatMap(({ object, after }) =>
      NAMES.filter((name) => versionOf(object) <= (pods.goneAt.get(name) ?? versionOf(object))).flatMap(
        (name) =>
          opened(after, name)
            .filter((call) => openBefore.get(name)?.includes(call) !== true)
            .map((call) => `${versionOf(object)} ${object.metadata.name}: ${call}`),
      ),
    );
  }

  it('stand while pods do', async () => {
    await history.steps();
    const objects = await cluster.policies();
    openBefore = new Map(NAMES.map((name) => [name, opened(objects, name)]));
    expect([...openBefore.values()].map(({ length }) => length)).to.deep.equal([0, 3, 3, 3, 3]);
    writesBefore = (await writes()).length;
    await swarm().client.delete(NAMESPACE, { name: AGENTS });
    await eventually('the pods to be told to end', async () => {
      const { items } = await swarm().client.list<Pod>(POD, { namespace: AGENTS });
      return items.length === NAMES.length && items.every(({ metadata }) => metadata.deletionTimestamp);
    });
    expect(await cluster.policies()).to.deep.equal(objects);
    // The trust bundle may be written still: it waits a while for more after each write.
    const written = (await writes()).slice(writesBefore).filter((each) => !each.includes(' configmaps '));
    expect(written).to.deep.equal([]);
  });

  it('are closed there by what needs no new object, and what does is not tried again and again', async () => {
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'agent-deployer' });
    await cluster.objectsOf('agent-deployer', WALL, ({ net, allow }) => {
      expect(allow?.spec).to.not.have.property('rules');
      return net?.metadata.labels?.['agenttrust.dev/tombstone'];
    });
    const fence = nameOf('fence', 'agent-writer');
    await swarm().client.delete(AUTHORIZATION_POLICY, { namespace: AGENTS, name: fence });
    await cluster.condition('agent-writer', 'Ready', ['NamespaceTerminating']);
    const tries = (await writes()).filter((each) =>
      each.includes(`create authorizationpolicies ${AGENTS}/${fence}`),
    );
    expect(tries.length).to.be.within(1, 3);
  });

  it('go with the last pod, each its own, and with the namespace the others', async () => {
    givenUpBefore = await givenUp();
    await letGo('agent-deployer');
    await cluster.objectsOf('agent-deployer', []);
    const others = NAMES.filter((name) => name !== 'agent-deployer');
    for (const name of others.slice(1)) await letGo(name);
    expect(Object.keys(await cluster.objects('agent-coordinator'))).to.have.members([...WALL]);
    await letGo('agent-coordinator');
    await isGone();
    const steps = await history.steps();
    await eventually('every pod to be told', () => pods.goneAt.size === NAMES.length);
    expect(holes(steps)).to.deep.equal([]);
    const gone = steps.filter(({ object, after }) => !after.includes(object)).map(({ object }) => object);
    const early = gone.filter((object) => versionOf(object) < (pods.goneAt.get(agentOf(object)) ?? 0n));
    expect(early.map(({ metadata }) => metadata.name)).to.deep.equal([nameOf('fence', 'agent-writer')]);
    const graves = gone.filter((object) => agentOf(object) === 'agent-deployer');
    expect(graves.map(({ metadata }) => metadata.name.split('-')[1])).to.deep.equal(GRAVE_ORDER);
    expect(await cluster.policies()).to.deep.equal([]);
  });

  it('leave neither work nor numbers behind', async () => {
    await eventually(
      'every agent to be given up',
      async () =>
        (await givenUp()) >= givenUpBefore + NAMES.length && (await sample('workqueue_depth')) === 0,
    );
    const gauges = ['identities', 'mesh_agents', 'policies', 'delegation_edges'];
    for (const name of gauges) expect(await sample(`agent_trust_${name}`), name).to.equal(0);
    // The role of the operator may be the first thing to go.
    expect(await sample('controller_runtime_reconcile_errors_total')).to.be.at.most(10 * NAMES.length);
    const written = (await writes()).slice(writesBefore);
    expect(written.length).to.be.at.most(30 * NAMES.length);
  });

  it('are there again with the namespace', async () => {
    await swarm().client.create(NAMESPACE, { metadata: { name: AGENTS } });
    await installChart({ kubeconfigPath: controlPlane().kubeconfigPath, namespaces: [AGENTS] });
    await populate();
    const objects = await cluster.policies();
    for (const name of NAMES) expect(opened(objects, name)).to.deep.equal(openBefore.get(name));
  });

  it('are given up with the namespace also when the role of the operator goes first', async () => {
    const before = await givenUp();
    const role = ['rolebinding', 'agent-trust-controller', `--namespace=${AGENTS}`];
    await controlPlane().kubectl(['delete', ...role]);
    // Ends the watches.
    await controlPlane().restartApiServer();
    for (const name of NAMES) {
      await swarm().ready(name, 'NamespaceRoleMissing');
    }
    await swarm().client.delete(NAMESPACE, { name: AGENTS });
    for (const name of NAMES) await letGo(name);
    await isGone();
    await eventually('every agent to be given up', async () => (await givenUp()) >= before + NAMES.length);
  });
});
