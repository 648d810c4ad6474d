/** Agents talk to each other while the authority rotates, and the operator is killed again and again: no handshake fails. */

import { join } from 'node:path';
import { startOperatorProcess } from '../../../hack/operator/operator-process.ts';
import { expectProbed } from '../../support/authority/expect-probed.ts';
import { KilledOperators } from '../../support/authority/killed-operators.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  namespacesOf,
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { OPERATOR_ACCOUNT } from '../../support/operator.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { useSwarm } from '../../support/swarm.ts';

const WORLD = { agents: PROBED_AGENTS, seed: 2 };
// Slower than it could be: so many operators have to start that fewer handshakes are made.
const FASTEST = 250;
const LEASE = ['--lease-duration=1s', '--renew-deadline=800ms', '--retry-period=200ms'];
const KILLS = 50;

describe('agents that talk to each other while operators are killed', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, namespacesOf(WORLD));
  let operators: KilledOperators | undefined;

  after(function () {
    this.timeout(60_000);
    return operators?.stop();
  });

  it(`do not fail once in a rotation with ${KILLS} kills`, async function () {
    this.timeout(900_000);
    const { client } = swarm();
    const acceleration = await affordableAcceleration(FASTEST);
    const serviceAccountDirectory = await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT);
    const running = new KilledOperators(() =>
      startOperatorProcess({
        server: controlPlane().server,
        serviceAccountDirectory,
        flags: [`--namespaces=${namespacesOf(WORLD).join()}`, ...rotationFlags({ acceleration }), ...LEASE],
        logPath: join(controlPlane().directory, 'operators.log'),
      }),
    );
    operators = running;
    const outgoing = await putAgedAuthority(client, acceleration);
    await running.start();
    const kills = { count: KILLS, withinMs: 3_000, random: pseudoRandom(WORLD.seed) };
    expectProbed(
      await probeRotation({ ...WORLD, acceleration, client, outgoing, meanwhile: () => running.kill(kills) }),
    );
  });
});
