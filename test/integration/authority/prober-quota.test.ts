/** Agents talk to each other while the authority rotates, and one namespace takes no bundle all the time. */

import { join } from 'node:path';
import { expect } from 'chai';
import { type OperatorProcess, startOperatorProcess } from '../../../hack/operator/operator-process.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { expectProbed } from '../../support/authority/expect-probed.ts';
import { fillNamespace } from '../../support/authority/full-namespace.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  namespacesOf,
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';
import { authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { OPERATOR_ACCOUNT } from '../../support/operator.ts';
import { useSwarm } from '../../support/swarm.ts';

const FULL = 'ai-full';
// Its Secrets are not refused, so its pods have all they need of those; a pod that mounts the bundle cannot start there.
const AGENTS = [...PROBED_AGENTS, { namespace: FULL, name: 'agent-a', hasBundle: false }];
const WORLD = { agents: AGENTS, seed: 3 };
const FASTEST = 400;

describe('agents that talk to each other while one namespace takes no bundle', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, namespacesOf(WORLD));
  let operator: OperatorProcess | undefined;

  after(() => operator?.stop());

  it('do not fail once while the authority rotates', async function () {
    this.timeout(900_000);
    const { client } = swarm();
    const acceleration = await affordableAcceleration(FASTEST);
    await fillNamespace(controlPlane(), client, FULL);
    const outgoing = await putAgedAuthority(client, acceleration);
    operator = await startOperatorProcess({
      server: controlPlane().server,
      serviceAccountDirectory: await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT),
      flags: [`--namespaces=${namespacesOf(WORLD).join()}`, ...rotationFlags({ acceleration })],
      logPath: join(controlPlane().directory, 'operator.log'),
    });
    expectProbed(await probeRotation({ ...WORLD, acceleration, client, outgoing }));
    const bundle = await client.find(CONFIG_MAP, { namespace: FULL, name: 'agent-trust-bundle' });
    expect(bundle).to.equal(undefined);
    const notes = (await authorityNotes(client)).join('\n');
    expect(notes).to.match(new RegExp(`NamespaceExcluded: [^\n]*: ${FULL} \\(`));
  });
});
