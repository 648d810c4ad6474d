/** Agents talk to each other while the authority rotates, and the operator is killed again and again: no handshake fails. */

import { expectProbed, PROBED_TIMEOUT_MS } from '../../support/authority/expect-probed.ts';
import { KilledOperators } from '../../support/authority/killed-operators.ts';
import { withProbedCluster } from '../../support/authority/prober-cluster.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';

const WORLD = { agents: PROBED_AGENTS, seed: 2 };
const LEASE = ['--lease-duration=1s', '--renew-deadline=800ms', '--retry-period=200ms'];
const KILLS = 50;
/** More than without kills: so many operators have to start that fewer handshakes are made. */
const WANTED = 80_000;
/** Between two kills at most, before it is divided: they are to go on until the next generation signs. */
const KILL_WITHIN_MS = 750_000;

describe('agents that talk to each other while operators are killed', () => {
  it(`do not fail once in a rotation with ${KILLS} kills`, async function () {
    this.timeout(PROBED_TIMEOUT_MS);
    await expectProbed((asked) =>
      withProbedCluster(WORLD, async ({ client, startOperator }) => {
        const acceleration = asked ?? (await affordableAcceleration(WANTED));
        const running = new KilledOperators(() =>
          startOperator([...rotationFlags({ acceleration }), ...LEASE]),
        );
        const outgoing = await putAgedAuthority(client, acceleration);
        await running.start();
        const kills = {
          count: KILLS,
          withinMs: KILL_WITHIN_MS / acceleration,
          random: pseudoRandom(WORLD.seed),
        };
        const meanwhile = (): Promise<void> => running.kill(kills);
        return probeRotation({ ...WORLD, acceleration, client, outgoing, meanwhile });
      }),
    );
  });
});
