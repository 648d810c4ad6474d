/** An operator that starts anew writes nothing that is as it was, and says what keeps it from knowing all. */

import { expect } from 'chai';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import { EVENT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { boundary, GET, identity, messageOf, PolicyCluster, policy } from '../../support/policies.ts';

interface Event extends KubeObject {
  readonly regarding: { readonly kind: string };
}

describe('an operator that starts anew', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let cluster: PolicyCluster;
  let operator: RunningOperator;

  const install = (): Promise<void> =>
    installChart({ kubeconfigPath: controlPlane().kubeconfigPath, namespaces: '*' });
  const start = async (): Promise<void> => {
    operator = await startOperator({
      controlPlane: controlPlane(),
      flags: ['--namespaces=*'],
      timing: { reflector: { refusedMs: [500, 1_000] } },
    });
  };

  before(async () => {
    admin = await adminClient(controlPlane());
    cluster = new PolicyCluster(admin.client);
    await install();
    await cluster.served();
    await cluster.namespace('ai-agents');
    await start();
  });
  after(async () => {
    await operator?.stop();
    await admin?.close();
  });

  /** Namespace, name and version of every policy and boundary. */
  async function versions(): Promise<readonly unknown[]> {
    const types = [DELEGATION_POLICY, CAPABILITY_BOUNDARY];
    const lists = await Promise.all(types.map((type) => admin.client.list(type)));
    return lists.flatMap(({ items }) =>
      items.map(({ metadata }) => [metadata.namespace, metadata.name, metadata.resourceVersion]),
    );
  }

  /** How many events there are about policies. */
  async function told(): Promise<number> {
    const { items } = await admin.client.list<Event>(EVENT);
    return items.filter(({ regarding }) => regarding.kind === 'DelegationPolicy').length;
  }

  /** How many reconciles of policies and boundaries it has behind it. */
  async function reconciles(): Promise<number> {
    const name = 'controller_runtime_reconcile_total';
    const text = (await operator.registry.getSingleMetricAsString(name)) ?? '';
    return ['delegationpolicy', 'capabilityboundary']
      .map((controller) => sumOfSamples(text, name, `controller="${controller}"`))
      .reduce((sum, each) => sum + each);
  }

  it('writes no status and tells nothing that was told before', async () => {
    await cluster.apply(
      'ai-agents',
      identity('coordinator'),
      identity('deployer'),
      policy('granting', {}),
      policy('lacking', { to: ['deployer', 'nobody'] }),
      policy('refused', { to: ['ai-agents/coordinator'] }),
      boundary('everywhere', { namespaceSelector: {}, capabilities: [GET] }),
    );
    await cluster.settles('ai-agents', 'granting', (_, { Ready }) => Ready === 'True Accepted');
    await cluster.settles('ai-agents', 'lacking', ({ problems }) => problems?.length === 1);
    await cluster.settles('ai-agents', 'refused', (_, { Stalled }) => Stalled === 'True InvalidSpec');
    await eventually('the boundary to be ready', async () => {
      const { stdout } = await controlPlane().kubectl(['get', 'cbound', 'everywhere', '--no-headers']);
      return /\bTrue\b/.test(stdout);
    });
    await operator.stop();
    const [before, events] = [await versions(), await told()];
    expect(before).to.have.length(4);
    // One more when an agent was seen later than the policy that names it.
    expect(events).to.be.within(2, 3);
    await start();
    await eventually('all of them to have been looked at', async () => (await reconciles()) >= before.length);
    expect(await versions()).to.deep.equal(before);
    await operator.stop();
    expect(await told()).to.equal(events);
  });

  it('says which kind the API server does not list, and goes on when it does', async () => {
    await controlPlane().kubectl(['delete', 'crd', 'capabilityboundaries.agenttrust.dev']);
    await start();
    const status = await cluster.settles(
      'ai-agents',
      'granting',
      (_, { Reconciling }) => Reconciling === 'True GraphIncomplete',
    );
    expect(messageOf(status, 'Ready')).to.contain('capabilityboundaries').and.to.contain('helm upgrade');
    expect(status).to.not.have.property('edgeCount');
    await install();
    await cluster.settles(
      'ai-agents',
      'granting',
      ({ edgeCount }, { Ready }) => Ready === 'True Accepted' && edgeCount === 1,
    );
  });
});
