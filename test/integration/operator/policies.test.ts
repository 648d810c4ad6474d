/** A DelegationPolicy says what it grants, whatever came first, and heals when what it lacked is there. */

import { expect } from 'chai';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import type { CapabilityBoundary } from '../../../src/api/capability-boundary.ts';
import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import { EVENT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import {
  APPLY,
  boundary,
  GET,
  identity,
  type Manifest,
  messageOf,
  PolicyCluster,
  type PolicyStatus,
  policy,
} from '../../support/policies.ts';

interface Event extends KubeObject {
  readonly reason: string;
  readonly note: string;
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

/** What the status says, without instants; the same text for every namespace. */
function spoken({ conditions = [], ...rest }: PolicyStatus, namespace: string): unknown {
  const said = conditions.map(({ lastTransitionTime: _, ...condition }) => condition);
  const text = JSON.stringify({ ...rest, conditions: said });
  return JSON.parse(text.replaceAll(new RegExp(`\\b${namespace}\\b`, 'g'), '<namespace>'));
}

const isEmpty = ({ emptyEdges }: PolicyStatus): boolean => emptyEdges === 1;
const isFull = ({ emptyEdges }: PolicyStatus): boolean => emptyEdges === 0;

describe('a DelegationPolicy', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let cluster: PolicyCluster;
  let operator: RunningOperator;

  before(async () => {
    admin = await adminClient(controlPlane());
    cluster = new PolicyCluster(admin.client);
    await installChart({ kubeconfigPath: controlPlane().kubeconfigPath, namespaces: '*' });
    await cluster.served();
    operator = await startOperator({ controlPlane: controlPlane(), flags: ['--namespaces=*'] });
  });
  after(async () => {
    await operator?.stop();
    await admin?.close();
  });

  it('says the same in the end, in whatever order it and what it needs are applied', async () => {
    const orders = permutations(['coordinator', 'deployer', 'policy', 'boundary']);
    const manifests = (namespace: string): Readonly<Record<string, Manifest>> => ({
      coordinator: identity('coordinator'),
      deployer: identity('deployer'),
      policy: policy('planning', { capabilities: [GET, APPLY] }),
      boundary: boundary(namespace, {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        capabilities: [GET],
      }),
    });
    for (const [at, order] of orders.entries()) {
      const namespace = await cluster.namespace(`order-${at}`);
      await cluster.apply(namespace, ...order.flatMap((part) => manifests(namespace)[part] ?? []));
    }
    const first = await cluster.settles(
      'order-0',
      'planning',
      ({ problems }, { ResolvedRefs }) =>
        ResolvedRefs === 'True ResolvedRefs' && problems?.[0]?.reason === 'OutsideBoundary',
    );
    expect([first.edgeCount, first.emptyEdges, first.longestChain, first.problems?.length]).to.deep.equal([
      ...[1, 0, 1, 1],
    ]);
    await eventually('all of them to say the same', async () => {
      const said = await Promise.all(
        orders.map(async (_, at) =>
          spoken((await cluster.get(`order-${at}`, 'planning')).status ?? {}, `order-${at}`),
        ),
      );
      for (const each of said) expect(each).to.deep.equal(said[0]);
      return true;
    });
  });

  it('names agents that are not there, is ready all the same, and heals when they come', async () => {
    const namespace = await cluster.namespace('unknown');
    await cluster.apply(namespace, policy('planning', {}));
    const lacking = await cluster.settles(
      namespace,
      'planning',
      (_, { ResolvedRefs }) => ResolvedRefs === 'False NotFound',
    );
    expect(messageOf(lacking, 'Ready')).to.contain('see status.problems');
    expect(messageOf(lacking, 'ResolvedRefs')).to.contain('unknown/coordinator does not exist: create it');
    await cluster.apply(namespace, identity('coordinator'));
    const half = await cluster.settles(
      namespace,
      'planning',
      ({ problems }) => problems?.[0]?.to === 'unknown/deployer',
    );
    expect(messageOf(half, 'ResolvedRefs')).to.contain('AgentIdentity unknown/deployer does not exist');
    await cluster.apply(namespace, identity('deployer'));
    const healed = await cluster.settles(
      namespace,
      'planning',
      (_, { ResolvedRefs }) => ResolvedRefs === 'True ResolvedRefs',
    );
    expect([healed.edgeCount, healed.emptyEdges, healed.problems]).to.deep.equal([1, 0, []]);
  });

  it('tells of each of its problems once', async () => {
    const told = await eventually('the events', async () => {
      const { items } = await admin.client.list<Event>(EVENT, { namespace: 'unknown' });
      const notes = items.filter(({ reason }) => reason === 'CapabilityWithheld').map(({ note }) => note);
      return notes.length >= 2 && notes;
    });
    expect(told.sort()).to.deep.equal([
      'rules[0]: AgentIdentity unknown/coordinator does not exist: create it, or correct the rule.',
      'rules[0]: AgentIdentity unknown/deployer does not exist: create it, or correct the rule.',
    ]);
  });

  it('waits for the consent of an agent of another namespace', async () => {
    const [here, there] = [await cluster.namespace('here'), await cluster.namespace('there')];
    await cluster.apply(there, identity('analyst'));
    await cluster.apply(here, identity('coordinator'), policy('planning', { to: [`${there}/analyst`] }));
    const refused = await cluster.settles(
      here,
      'planning',
      (_, { ResolvedRefs }) => ResolvedRefs === 'False NotAccepted',
    );
    expect(messageOf(refused, 'ResolvedRefs')).to.contain('there/analyst').and.to.contain('acceptFrom');
    expect(refused.emptyEdges).to.equal(1);
    await cluster.change(there, 'analyst', { acceptFrom: [{ namespace: here }] });
    const healed = await cluster.settles(here, 'planning', isFull);
    expect(healed.problems).to.deep.equal([]);
  });

  it('is cut by a boundary as long as the labels of its namespace say so', async () => {
    const namespace = await cluster.namespace('bounded', { stage: 'test' });
    await cluster.apply(
      namespace,
      identity('coordinator'),
      identity('deployer'),
      policy('planning', { capabilities: [APPLY] }),
      boundary('stage-test', { namespaceSelector: { matchLabels: { stage: 'test' } }, capabilities: [GET] }),
    );
    const cut = await cluster.settles(
      namespace,
      'planning',
      ({ problems }) => problems?.[0]?.reason === 'OutsideBoundary',
    );
    expect([cut.emptyEdges, cut.problems?.[0]?.capability]).to.deep.equal([1, 'kubectl_apply']);
    expect(cut.problems?.[0]?.message).to.contain('stage-test');
    await bindsNamespaces('stage-test', 1);
    await cluster.label(namespace, { stage: 'live' });
    await cluster.settles(namespace, 'planning', isFull);
    await bindsNamespaces('stage-test', 0);
    await cluster.label(namespace, { stage: 'test' });
    await cluster.settles(namespace, 'planning', isEmpty);
    await admin.client.delete(CAPABILITY_BOUNDARY, { name: 'stage-test' });
    await cluster.settles(namespace, 'planning', isFull);
  });

  async function bindsNamespaces(name: string, count: number): Promise<void> {
    const { status } = await eventually(`boundary ${name} to bind ${count}`, async () => {
      const found = await admin.client.get<CapabilityBoundary>(CAPABILITY_BOUNDARY, { name });
      return found.status?.namespaces === count && found;
    });
    const [ready] = status?.conditions ?? [];
    expect([ready?.type, ready?.status, ready?.reason]).to.deep.equal(['Ready', 'True', 'Accepted']);
  }

  it('gets nothing from the later of two identities on one ServiceAccount, until the older goes', async () => {
    const namespace = await cluster.namespace('shared');
    await cluster.apply(namespace, identity('older', { serviceAccountName: 'one', capabilities: [GET] }));
    const older = await admin.client.get(AGENT_IDENTITY, { namespace, name: 'older' });
    // Age is counted in whole seconds; within one second the UID decides.
    await eventually(
      'a second to pass',
      () => Date.now() > Date.parse(older.metadata.creationTimestamp ?? '') + 1_100,
    );
    await cluster.apply(
      namespace,
      identity('later', { serviceAccountName: 'one', capabilities: [GET] }),
      identity('deployer'),
      policy('of-older', { from: 'older' }),
      policy('of-later', { from: 'later' }),
    );
    await cluster.settles(namespace, 'of-later', isEmpty);
    await cluster.settles(namespace, 'of-older', isFull);
    await admin.client.delete(AGENT_IDENTITY, { namespace, name: 'older' });
    await cluster.settles(namespace, 'of-later', isFull);
    await cluster.settles(namespace, 'of-older', isEmpty);
  });

  it('follows ceilings and suspension of both ends', async () => {
    const namespace = await cluster.namespace('ceilings');
    await cluster.apply(namespace, identity('coordinator'), identity('deployer'), policy('planning', {}));
    await cluster.settles(namespace, 'planning', isFull);
    await cluster.change(namespace, 'deployer', { capabilities: [APPLY] });
    const low = await cluster.settles(namespace, 'planning', isEmpty);
    expect(low.problems?.map(({ reason }) => reason)).to.deep.equal(['NotInAnyCeiling']);
    await cluster.change(namespace, 'deployer', { capabilities: [GET] });
    await cluster.settles(namespace, 'planning', isFull);
    await cluster.change(namespace, 'coordinator', { capabilities: [APPLY] });
    const lower = await cluster.settles(namespace, 'planning', isEmpty);
    expect(lower.problems?.map(({ reason }) => reason)).to.deep.equal(['NotInCeilingOfFrom']);
    await cluster.change(namespace, 'coordinator', { capabilities: [GET], suspended: true });
    await cluster.settles(namespace, 'planning', isEmpty);
    await cluster.change(namespace, 'coordinator', { suspended: false });
    await cluster.settles(namespace, 'planning', isFull);
  });

  it('grants nothing any more when it is deleted', async () => {
    const name = 'agent_trust_delegation_edges';
    const edges = async (): Promise<number> =>
      sumOfSamples((await operator.registry.getSingleMetricAsString(name)) ?? '', name);
    const before = await edges();
    await admin.client.delete(DELEGATION_POLICY, { namespace: 'ceilings', name: 'planning' });
    await eventually('the edge to go', async () => (await edges()) === before - 1);
  });

  it('that hands on to the delegating agent itself is not accepted, and says where', async () => {
    const namespace = await cluster.namespace('selfish');
    await cluster.apply(namespace, policy('planning', { to: ['deployer', `${namespace}/coordinator`] }));
    const status = await cluster.settles(
      namespace,
      'planning',
      (_, { Stalled }) => Stalled === 'True InvalidSpec',
    );
    expect(
      status.conditions?.map(({ type, status: value, reason }) => `${type} ${value} ${reason}`),
    ).to.deep.equal([
      'Ready False InvalidSpec',
      'Accepted False InvalidSpec',
      'ResolvedRefs Unknown Pending',
      'Stalled True InvalidSpec',
    ]);
    expect(messageOf(status, 'Accepted')).to.contain('spec.rules[0].to[1]').and.to.contain('take it out');
  });

  it('of a namespace that holds no agents is not accepted', async () => {
    await cluster.apply('kube-system', policy('planning', {}));
    const status = await cluster.settles(
      'kube-system',
      'planning',
      (_, { Accepted }) => Accepted === 'False NamespaceNotGoverned',
    );
    expect(messageOf(status, 'Ready')).to.contain('Move the policy');
  });

  it('shows itself in the columns of kubectl', async () => {
    const columns = async (...args: readonly string[]): Promise<readonly (readonly string[])[]> => {
      const { stdout } = await controlPlane().kubectl(['get', ...args]);
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s{2,}/).slice(0, -1));
    };
    expect(await columns('dp', 'planning', '--namespace=bounded')).to.deep.equal([
      ['NAME', 'READY', 'DEPTH', 'EDGES', 'EMPTY'],
      ['planning', 'True', '2', '1', '0'],
    ]);
    expect(await columns('cbound', 'order-0')).to.deep.equal([
      ['NAME', 'READY', 'NAMESPACES'],
      ['order-0', 'True', '1'],
    ]);
  });
});
