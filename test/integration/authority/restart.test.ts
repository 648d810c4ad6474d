/** What an operator makes of what it finds: an authority from before there were generations, and phases that are lost. */

import { expect } from 'chai';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { authoritySecret } from '../../support/authority/authority-secret.ts';
import { AuthorityProbe, authorityNotes, UNHURRIED } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { OPERATOR_ACCOUNT, type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const DAY_MS = 86_400_000;
/** Settles within two seconds; a generation of its own would live a day and a half. */
const FLAGS = [`--namespaces=${AGENTS}`, ...UNHURRIED];
const STATE = { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-authority-state' };

describe('an operator that starts', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator | undefined;
  let authority: AuthorityProbe;
  const old = createAuthority({
    trustDomain: 'cluster.local',
    nowMs: Date.now() - 200 * DAY_MS,
    lifeMs: 365 * DAY_MS,
  });

  const start = async (): Promise<void> => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  };
  before(() => {
    authority = new AuthorityProbe(swarm().client);
  });
  after(() => operator?.stop());

  it('goes on with the one generation of a year that it finds, and prepares the next one in its course', async () => {
    const user = `--as=system:serviceaccount:${OPERATOR_ACCOUNT.namespace}:${OPERATOR_ACCOUNT.name}`;
    const stdin = JSON.stringify(authoritySecret(old));
    await controlPlane().kubectl(['create', '--filename=-', user], { stdin });
    await start();
    await swarm().createAgent('agent-a');
    await swarm().ready('agent-a');
    const { signing, generations } = await authority.until(
      'the next one',
      (seen) => seen.generations.size === 2,
    );
    expect(signing).to.equal(old.id);
    expect([...generations.values()].map(({ phase }) => phase)).to.deep.equal(['signing', 'prepared']);
    expect((await authority.inSecret('agent-a-tls')).signedBy).to.equal(old.id);
    const notes = (await authorityNotes(swarm().client)).join('\n');
    expect(notes).to.contain('half of the life of the one before is over').and.not.contain('Rebuilt');
  });

  it('finds the phases again when they were lost: who has signed last signs', async () => {
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const { signing } = await authority.until('the next one to sign', (seen) => seen.signing !== old.id);
    await swarm().createAgent('agent-b');
    await swarm().ready('agent-b');
    expect((await authority.inSecret('agent-b-tls')).signedBy).to.equal(signing);
    await authority.ask({ rotateBefore: null });
    await operator?.stop();
    await swarm().client.delete(CONFIG_MAP, STATE);
    await start();
    const found = await authority.until('the phases', () => true);
    expect(found.signing).to.equal(signing);
    expect(found.generations.get(old.id)).to.include({ phase: 'retiring' });
    await eventually('the event', async () =>
      (await authorityNotes(swarm().client)).some((note) => note.startsWith('AuthorityStateRebuilt: ')),
    );
    const metrics = await operator?.registry.metrics();
    expect(metrics).to.contain('agent_trust_authority_steps_total{step="rebuild"} 1\n');
    await swarm().createAgent('agent-c');
    await swarm().ready('agent-c');
    expect((await authority.inSecret('agent-c-tls')).signedBy).to.equal(signing);
  });
});
