/** Issuance ledgers on a real API server that somebody deletes while no operator runs. */

import { expect } from 'chai';
import { ANNOTATION_EARLIER_LEDGERS } from '../../../src/api/group.ts';
import { LeafBook } from '../../../src/controllers/ledger/leaf-book.ts';
import { IssuanceLedger } from '../../../src/controllers/ledger/ledger.ts';
import { LINES_PER_LEDGER } from '../../../src/domain/ledger/ledger-line.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';
import { HOUR, ledgerLine, NOW } from '../../unit/controllers/ledger/fixture.ts';

describe('a ledger that is deleted while no operator runs', () => {
  const swarm = useSwarm(useControlPlane());
  let nowMs = NOW;
  const ledger = (number: number) => ({ namespace: AGENTS, name: `agent-trust-ledger-${number}` });

  async function takeOver(epoch: string): Promise<{ ledger: IssuanceLedger; leaves: LeafBook }> {
    const leaves = new LeafBook();
    const store = swarm().client;
    const taken = new IssuanceLedger({ store, namespace: AGENTS, epoch, leaves, nowMs: () => nowMs });
    await taken.takeOver();
    return { ledger: taken, leaves };
  }

  it('is missed by the next leader, unless its leaves have ended', async () => {
    const { ledger: first } = await takeOver('first');
    const count = 3 * LINES_PER_LEDGER;
    const lines = Array.from({ length: count }, (_, at) =>
      ledgerLine(at, NOW + (at < LINES_PER_LEDGER ? 1 : 3) * HOUR),
    );
    await Promise.all(lines.map((line) => first.commit(line)));
    nowMs = NOW + 2 * HOUR;

    const { leaves: whole, ledger: second } = await takeOver('second');
    expect([[...whole.lines()].length, whole.completeSinceMs]).to.deep.equal([count, NOW]);
    await second.trim(nowMs);
    expect((await takeOver('third')).leaves.completeSinceMs).to.equal(NOW);

    await swarm().client.delete(CONFIG_MAP, ledger(2));
    const { leaves } = await takeOver('fourth');
    expect([[...leaves.lines()].length, leaves.completeSinceMs]).to.deep.equal([LINES_PER_LEDGER, nowMs]);
    const { metadata } = await swarm().client.get(CONFIG_MAP, ledger(4));
    const end = new Date(NOW + 3 * HOUR).toISOString();
    expect(metadata.annotations?.[ANNOTATION_EARLIER_LEDGERS]).to.equal(`3=${end}`);
  });
});
