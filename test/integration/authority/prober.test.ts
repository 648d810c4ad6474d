/** Agents talk to each other all the time while the authority rotates: not one handshake fails. */

import { join } from 'node:path';
import { type OperatorProcess, startOperatorProcess } from '../../../hack/operator/operator-process.ts';
import { expectProbed } from '../../support/authority/expect-probed.ts';
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
import { useSwarm } from '../../support/swarm.ts';

const WORLD = { agents: PROBED_AGENTS, seed: 1 };
const FASTEST = 400;

describe('agents that talk to each other all the time', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, namespacesOf(WORLD));
  let operator: OperatorProcess | undefined;

  after(() => operator?.stop());

  it('do not fail once while the authority rotates', async function () {
    this.timeout(900_000);
    const { client } = swarm();
    const acceleration = await affordableAcceleration(FASTEST);
    const outgoing = await putAgedAuthority(client, acceleration);
    operator = await startOperatorProcess({
      server: controlPlane().server,
      serviceAccountDirectory: await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT),
      flags: [`--namespaces=${namespacesOf(WORLD).join()}`, ...rotationFlags({ acceleration })],
      logPath: join(controlPlane().directory, 'operator.log'),
    });
    expectProbed(await probeRotation({ ...WORLD, acceleration, client, outgoing }));
  });
});
