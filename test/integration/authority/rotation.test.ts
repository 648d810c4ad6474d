/** The authority rotates by itself: made, carried everywhere, put to work, and gone when nothing lives that it signed. */

import { expect } from 'chai';
import { putAgedAuthority, rotationFlags } from '../../support/authority/prober-rotation.ts';
import { AuthorityProbe, authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** A life of four minutes; whoever carries no new generation is waited for ten seconds. */
const ACCELERATION = 360;

describe('the authority', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    await putAgedAuthority(swarm().client, ACCELERATION);
    const flags = [`--namespaces=${AGENTS}`, ...rotationFlags({ acceleration: ACCELERATION })];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
  });
  after(() => operator?.stop());

  it('goes through a whole rotation by itself', async function () {
    this.timeout(600_000);
    for (const name of ['agent-a', 'agent-b']) await swarm().createAgent(name);
    for (const name of ['agent-a', 'agent-b']) await swarm().ready(name);
    const { signing: first } = await authority.see();

    const prepared = await authority.until(
      'the next generation',
      ({ generations }) => generations.size === 2,
      { timeoutMs: 180_000 },
    );
    const [, second = ''] = prepared.generations.keys();
    expect(prepared.signing).to.equal(first);
    await authority.until(
      'it to be seen everywhere',
      ({ generations }) => generations.get(second)?.seenSince !== undefined,
    );
    expect(await authority.inBundle()).to.deep.equal([first, second]);
    for (const name of ['agent-a', 'agent-b'])
      expect(await authority.inSecret(`${name}-tls`)).to.deep.equal({
        carries: [first, second],
        signedBy: first,
      });

    await authority.until('it to sign', ({ signing }) => signing === second, { timeoutMs: 150_000 });
    for (const name of ['agent-a', 'agent-b'])
      await eventually(
        `${name} to be signed anew`,
        async () => (await authority.inSecret(`${name}-tls`)).signedBy === second,
      );
    await authority.until('the first one to be gone', ({ generations }) => !generations.has(first), {
      timeoutMs: 180_000,
    });
    expect(await authority.kept()).to.not.include(first);
    await eventually('bundle and Secrets without it', async () => {
      expect(await authority.inBundle()).to.not.include(first);
      expect((await authority.inSecret('agent-a-tls')).carries).to.not.include(first);
      return true;
    });
    await eventually('the events', async () => {
      const all = (await authorityNotes(swarm().client)).join('\n');
      for (const reason of [
        'AuthorityPrepared',
        'AuthorityActivated',
        'ReissueStarted',
        'ReissueFinished',
        'AuthorityRetired',
      ])
        expect(all).to.contain(`${reason}: `);
      expect(all).to.not.contain('Forced').and.not.contain('Excluded');
      return true;
    });
    const metrics = await operator.registry.metrics();
    expect(metrics).to.contain(
      `agent_trust_authority_generation_not_after_timestamp_seconds{generation="${second}",phase="`,
    );
    expect(metrics).to.match(/agent_trust_authority_steps_total\{step="drop"\} 1/);
  });
});
