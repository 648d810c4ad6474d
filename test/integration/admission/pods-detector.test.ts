/** Pods of agents that came past admission, and pods that wait for a Secret that was withdrawn: who is told, and how. */

import { expect } from 'chai';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY, BUNDLE_NAME } from '../../../src/api/group.ts';
import { POD } from '../../../src/controllers/mesh/kinds.ts';
import { injectFiles } from '../../../src/domain/pod/inject.ts';
import { EVENT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { applyPatch } from '../../support/apply-patch.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type Condition, MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { podOf, type SentPod } from '../../support/pod-fixture.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

interface Event extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly series?: { readonly count: number };
  readonly regarding: { readonly kind: string; readonly name: string };
}

const LABEL = 'agenttrust.dev/identity';

describe('pods that came past admission', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let cluster: MeshCluster;
  let operator: RunningOperator;

  before(async () => {
    cluster = new MeshCluster(swarm());
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  });
  after(() => operator?.stop());

  async function create(name: string, { metadata, spec }: SentPod): Promise<void> {
    await swarm().client.create<KubeObject>(POD, {
      metadata: { ...metadata, name, namespace: AGENTS },
      ...{ spec },
    });
  }

  /** A pod as the webhook admits it. */
  function injected(account: string, identity = account): SentPod {
    const pod = podOf({ serviceAccountName: account });
    const agent = {
      serviceAccountName: account,
      certificateSecret: `${identity}-tls`,
      signingSecret: `${identity}-signing`,
      bundleConfigMap: BUNDLE_NAME,
    };
    const injection = injectFiles(pod, agent);
    return injection.kind === 'patch' ? applyPatch(pod, injection.patch) : pod;
  }

  async function writeStatus(name: string, status: object): Promise<void> {
    const command = ['patch', 'pod', name, `--namespace=${AGENTS}`, '--subresource=status', '--type=merge'];
    await controlPlane().kubectl([...command, `--patch=${JSON.stringify({ status })}`]);
  }

  async function conditions(agent: string): Promise<readonly Condition[]> {
    return (await swarm().identity(agent)).status?.conditions ?? [];
  }

  async function events(reason: string, name: string): Promise<readonly Event[]> {
    const { items } = await swarm().client.list<Event>(EVENT, { namespace: AGENTS });
    return items.filter((event) => event.reason === reason && event.regarding.name === name);
  }

  /** Waits until FilesMounted says exactly this, or is absent. */
  function filesMounted(agent: string, said: string | undefined): Promise<Condition | true> {
    return eventually(`FilesMounted of ${agent}`, async () => {
      const condition = (await conditions(agent)).find(({ type }) => type === 'FilesMounted');
      const text =
        condition === undefined ? undefined : `${condition.status} ${condition.reason}: ${condition.message}`;
      expect(text).to.equal(said);
      return condition ?? true;
    });
  }

  async function withoutFiles(): Promise<number> {
    return sumOfSamples(await operator.registry.metrics(), 'agent_trust_pods_without_files');
  }

  it('are no matter where no pod runs, and where every pod has its files', async () => {
    await swarm().createAgent('whole');
    await swarm().ready('whole');
    await cluster.condition('whole', 'MeshReady', ['NotInstalled']);
    await filesMounted('whole', undefined);
    await create('whole-1', injected('whole'));
    const said = 'True Mounted: Every pod that runs as this agent has its label and its files.';
    await filesMounted('whole', said);
    await create('whole-2', {
      metadata: { labels: { [LABEL]: 'whole' } },
      spec: {
        ...podOf({ serviceAccountName: 'whole' }).spec,
        volumes: ['tls', 'signing'].map((kind) => {
          return { name: `by-hand-${kind}`, secret: { secretName: `whole-${kind}` } };
        }),
      },
    });
    expect(await events('PodWithoutFiles', 'whole')).to.deep.equal([]);
    // Once this one is seen, the others are.
    await create('witness', podOf({ serviceAccountName: 'whole' }));
    await filesMounted(
      'whole',
      `False NotMounted: 1 of 3 pods came past the webhook, or were there before this identity or this version: witness (without label ${LABEL} and a volume with Secrets whole-tls and whole-signing). Restart: kubectl delete pod, and create it again.`,
    );
    await cluster.deletePod('witness');
    await filesMounted('whole', said);
    expect(await withoutFiles()).to.equal(0);
  });

  it('are named in a condition that does not lower Ready, counted, and told of once', async () => {
    await swarm().createAgent('passed');
    await swarm().ready('passed');
    await create('passed-1', podOf({ serviceAccountName: 'passed' }));
    const first = await filesMounted(
      'passed',
      `False NotMounted: 1 of 1 pods came past the webhook, or were there before this identity or this version: passed-1 (without label ${LABEL} and a volume with Secrets passed-tls and passed-signing). Restart: kubectl delete pod, and create it again.`,
    );
    expect(first).to.have.property('observedGeneration', 1);
    for (const [name, labels] of [
      ['passed-2', { [LABEL]: 'passed' }],
      ['passed-3', {}],
      ['passed-4', {}],
    ] as const) {
      await create(name, { ...podOf({ serviceAccountName: 'passed' }), metadata: { labels } });
    }
    await create('passed-5', injected('passed'));
    const lack = `without label ${LABEL} and a volume with Secrets passed-tls and passed-signing`;
    await filesMounted(
      'passed',
      `False NotMounted: 4 of 5 pods came past the webhook, or were there before this identity or this version: passed-1 (${lack}), passed-2 (without a volume with Secrets passed-tls and passed-signing), passed-3 (${lack}) and 1 more. Restart: kubectl delete pod, and create it again.`,
    );
    expect(await withoutFiles()).to.equal(4);
    const { status } = await swarm().ready('passed');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    const told = await eventually('the event', async () => {
      const found = await events('PodWithoutFiles', 'passed');
      return found.length > 0 && found;
    });
    expect(told.map(({ note, series, regarding }) => [regarding.kind, note, series])).to.deep.equal([
      ['AgentIdentity', first === true ? '' : first.message, undefined],
    ]);
  });

  it('are no matter once they have ended or are gone', async () => {
    await writeStatus('passed-1', { phase: 'Succeeded' });
    for (const name of ['passed-2', 'passed-3', 'passed-4']) await cluster.deletePod(name);
    await filesMounted(
      'passed',
      'True Mounted: Every pod that runs as this agent has its label and its files.',
    );
    expect(await withoutFiles()).to.equal(0);
    await cluster.deletePod('passed-5');
    await filesMounted('passed', undefined);
  });

  it('are those of the identity that has the ServiceAccount, not of a later one', async () => {
    const names = ['first', 'second'];
    await swarm().createAgent('first');
    await swarm().createIdentity('second', { serviceAccountName: 'first' });
    // Of one second both may be; then the UID decides.
    const later = await eventually('one of them to have lost', async () => {
      const ready = await Promise.all(names.map(async (name) => (await conditions(name))[0]?.reason));
      return ready.includes('Issued') && names[ready.indexOf('ServiceAccountTaken')];
    });
    const holder = later === 'first' ? 'second' : 'first';
    await create('shared', injected('first', holder));
    await filesMounted(
      holder,
      'True Mounted: Every pod that runs as this agent has its label and its files.',
    );
    await filesMounted(later, undefined);
  });

  describe('and pods of an agent that is cut off', () => {
    async function suspend(name: string, suspended: boolean): Promise<void> {
      await swarm().client.mergePatch(AGENT_IDENTITY, {
        namespace: AGENTS,
        name,
        patch: { spec: { suspended } },
      });
      await swarm().ready(name, suspended ? 'Quarantined' : 'Issued');
    }

    /** Waits for the one event about a pod. */
    function told(pod: string): Promise<Event> {
      return eventually(`the event on ${pod}`, async () => (await events('Quarantined', pod))[0]);
    }

    it('are told that they wait, once each, when they wait for its Secret', async () => {
      await swarm().createAgent('cut');
      await swarm().ready('cut');
      for (const name of ['waits', 'runs', 'starts']) await create(name, injected('cut'));
      await writeStatus('runs', { phase: 'Running' });
      const conditions = [{ type: 'PodReadyToStartContainers', status: 'True' }];
      await writeStatus('starts', { phase: 'Pending', conditions });
      await create('bare', podOf({ serviceAccountName: 'cut' }));
      await filesMounted(
        'cut',
        `False NotMounted: 1 of 4 pods came past the webhook, or were there before this identity or this version: bare (without label ${LABEL} and a volume with Secrets cut-tls and cut-signing). Restart: kubectl delete pod, and create it again.`,
      );
      await suspend('cut', true);
      const { note, regarding } = await told('waits');
      expect([regarding.kind, note]).to.deep.equal([
        'Pod',
        'Agent cut is cut off (spec.suspended of its AgentIdentity), and Secret cut-tls with its certificate is withdrawn. This pod waits for it, and starts by itself after that is lifted',
      ]);
      await create('late', injected('cut'));
      await told('late');
      for (const name of ['waits', 'late']) {
        const all = await events('Quarantined', name);
        expect(
          all.map(({ series }) => series),
          name,
        ).to.deep.equal([undefined]);
      }
      for (const name of ['runs', 'starts', 'bare']) {
        expect(await events('Quarantined', name), name).to.deep.equal([]);
      }
    });

    it('are told nothing once it may live again', async () => {
      await suspend('cut', false);
      await create('free', injected('cut'));
      await create('witness', podOf({ serviceAccountName: 'cut' }));
      await eventually('both to be seen', async () => {
        const condition = (await conditions('cut')).find(({ type }) => type === 'FilesMounted');
        return condition?.message.startsWith('2 of 7 pods');
      });
      expect(await events('Quarantined', 'free')).to.deep.equal([]);
    });
  });
});
