/** A namespace that takes no bundle holds a rotation up for a while, and then no longer. */

import { expect } from 'chai';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/object.ts';
import { ACCELERATED, AuthorityProbe, authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const FULL = 'ai-data';
const RESOURCE_QUOTA: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
};

describe('a namespace whose quota has no room for a bundle', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, [AGENTS, FULL]);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  before(async function () {
    this.timeout(120_000);
    const { client } = swarm();
    authority = new AuthorityProbe(client);
    const quota: KubeObject & { readonly spec: object } = {
      metadata: { name: 'full', namespace: FULL },
      spec: { hard: { configmaps: '0' } },
    };
    await client.create<KubeObject>(RESOURCE_QUOTA, quota);
    // In place of the controller that counts.
    await controlPlane().kubectl([
      ...['patch', 'resourcequota', 'full', `--namespace=${FULL}`, '--subresource=status', '--type=merge'],
      `--patch=${JSON.stringify({ status: { hard: { configmaps: '0' }, used: { configmaps: '0' } } })}`,
    ]);
    await eventually('the quota to be in force', async () => {
      try {
        await client.create(CONFIG_MAP, { metadata: { name: `room-${performance.now()}`, namespace: FULL } });
        return false;
      } catch (error) {
        return isKubeError(error, 'KUBE_FORBIDDEN');
      }
    });
    const flags = [`--namespaces=${AGENTS},${FULL}`, ...ACCELERATED];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
    await swarm().createAgent('agent-a');
    await swarm().createAgent('agent-b', {}, FULL);
    await swarm().ready('agent-a');
    await swarm().ready('agent-b', 'Issued', { namespace: FULL });
  });
  after(() => operator?.stop());

  it('is named, waited for, and then no more; all others rotate', async () => {
    const { signing: first } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const { generations } = await authority.until(
      'the next generation to wait for it',
      ({ texts }) =>
        texts['message']?.includes(`namespace ${FULL} (ConfigMap agent-trust-bundle does not`) === true,
    );
    const [, second = ''] = generations.keys();
    await authority.until(
      'it to be excluded',
      ({ texts }) => texts['excluded'] === `${FULL}: ConfigMap agent-trust-bundle does not carry it`,
    );
    const { signing } = await authority.until(
      'the next generation to sign',
      (seen) => seen.signing !== first,
    );
    expect(signing).to.equal(second);
    await eventually(
      'agents to be signed anew',
      async () => {
        expect(await authority.inSecret('agent-a-tls')).to.deep.equal({
          carries: [first, second],
          signedBy: second,
        });
        expect((await authority.inSecret('agent-b-tls', FULL)).signedBy).to.equal(second);
        return true;
      },
      { timeoutMs: 50_000 },
    );
    await eventually('the events', async () => {
      const notes = (await authorityNotes(swarm().client)).join('\n');
      expect(notes).to.contain(
        `NamespaceExcluded: Not waiting any longer for namespaces that do not take generation ${second}: ${FULL} (`,
      );
      expect(notes).to.contain(
        `AuthorityForced: Generation ${second} signs although it is not seen everywhere: ${FULL} (`,
      );
      return true;
    });
  });

  it('gets its bundle as soon as there is room', async () => {
    await swarm().client.delete(RESOURCE_QUOTA, { name: 'full', namespace: FULL });
    const { signing } = await authority.see();
    await eventually(
      'the bundle',
      async () => {
        const name = 'agent-trust-bundle';
        await swarm().client.get(CONFIG_MAP, { namespace: FULL, name });
        return (await authority.inBundle(FULL)).includes(signing);
      },
      { timeoutMs: 50_000 },
    );
  });
});
