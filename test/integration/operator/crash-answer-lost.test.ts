/** A leader that dies after a request was carried out and before it sees the answer, at each of its requests in turn. */

import { expect } from 'chai';
import { useControlPlane } from '../../support/control-plane.ts';
import { CrashRounds, EVERY_WRITE, isOfTheLoop } from '../../support/crash-rounds.ts';
import { useSwarm } from '../../support/swarm.ts';

const ROUNDS_TIMEOUT_MS = 40 * 60_000;

describe('a leader that dies before it sees an answer', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);

  it('leaves nothing half done, whichever answer it was', async function () {
    this.timeout(ROUNDS_TIMEOUT_MS);
    const rounds = new CrashRounds(controlPlane(), swarm(), { when: 'answer', counts: isOfTheLoop });
    const died = await rounds.run();
    expect(died).to.include.members(EVERY_WRITE);
    expect(died).to.include.members([
      'LIST agentidentities #1',
      'WATCH secrets ai-agents #1',
      'GET leases agent-trust-system/agent-trust-controller #1',
      'LIST configmaps agent-trust-system #1',
      'GET secrets ai-agents/frozen-tls #1',
      'GET secrets ai-agents/deleted-tls #2',
    ]);
  });
});
