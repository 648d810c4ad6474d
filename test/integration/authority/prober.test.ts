/** Agents talk to each other all the time while the authority rotates: not one handshake fails. */

import { expectProbed, PROBED_TIMEOUT_MS } from '../../support/authority/expect-probed.ts';
import { withProbedCluster } from '../../support/authority/prober-cluster.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';

const WORLD = { agents: PROBED_AGENTS, seed: 1 };

describe('agents that talk to each other all the time', () => {
  it('do not fail once while the authority rotates', async function () {
    this.timeout(PROBED_TIMEOUT_MS);
    await expectProbed((asked) =>
      withProbedCluster(WORLD, async ({ client, startOperator }) => {
        const acceleration = asked ?? (await affordableAcceleration());
        const outgoing = await putAgedAuthority(client, acceleration);
        await startOperator(rotationFlags({ acceleration }));
        return probeRotation({ ...WORLD, acceleration, client, outgoing });
      }),
    );
  });
});
