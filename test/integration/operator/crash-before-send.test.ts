/** A leader that dies just before a write is sent, at each of its writes in turn. */

import { expect } from 'chai';
import { useControlPlane } from '../../support/control-plane.ts';
import { CrashRounds, EVERY_WRITE, isWriteOfTheLoop } from '../../support/crash-rounds.ts';
import { useSwarm } from '../../support/swarm.ts';

const ROUNDS_TIMEOUT_MS = 40 * 60_000;

describe('a leader that dies before it sends a write', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);

  it('leaves nothing half done, whichever write it was', async function () {
    this.timeout(ROUNDS_TIMEOUT_MS);
    const rounds = new CrashRounds(controlPlane(), swarm(), { when: 'request', counts: isWriteOfTheLoop });
    expect(await rounds.run()).to.include.members(EVERY_WRITE);
  });
});
