/** A namespace that takes no bundle holds a rotation up for a while, and then no longer. */

import { expect } from 'chai';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { fillNamespace, RESOURCE_QUOTA } from '../../support/authority/full-namespace.ts';
import { AuthorityProbe, authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const FULL = 'ai-data';
/** A life of six minutes: a namespace is waited for 15 s, and named for the 2.5 s in which all others settle. */
const ACCELERATED = ['--authority-life=24h', '--authority-acceleration=240'];

describe('a namespace whose quota has no room for a bundle', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, [AGENTS, FULL]);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  before(async () => {
    const { client } = swarm();
    authority = new AuthorityProbe(client);
    await fillNamespace(controlPlane(), client, FULL);
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
    // Replaced at once, not within a minute.
    await authority.ask({ taint: first });
    await eventually('agents to be signed anew', async () => {
      expect(await authority.inSecret('agent-a-tls')).to.deep.equal({
        carries: [first, second],
        signedBy: second,
      });
      expect((await authority.inSecret('agent-b-tls', FULL)).signedBy).to.equal(second);
      return true;
    });
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
    const metrics = await operator.registry.metrics();
    expect(metrics).to.contain('agent_trust_authority_steps_total{step="force"} 1\n');
  });

  it('gets its bundle as soon as there is room', async () => {
    await swarm().client.delete(RESOURCE_QUOTA, { name: 'full', namespace: FULL });
    const { signing } = await authority.see();
    await eventually('the bundle', async () => {
      const name = 'agent-trust-bundle';
      await swarm().client.get(CONFIG_MAP, { namespace: FULL, name });
      return (await authority.inBundle(FULL)).includes(signing);
    });
  });
});
