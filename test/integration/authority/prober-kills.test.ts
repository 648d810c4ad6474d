/**
 * Agents talk to each other while the authority rotates, the operator is killed again and again, and one namespace takes no
 * bundle all the time: no handshake fails.
 */

import { expect } from 'chai';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { expectProbed, PROBED_TIMEOUT_MS } from '../../support/authority/expect-probed.ts';
import { fillNamespace } from '../../support/authority/full-namespace.ts';
import { KilledOperators } from '../../support/authority/killed-operators.ts';
import { withProbedCluster } from '../../support/authority/prober-cluster.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';
import { authorityNotes } from '../../support/authority.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';

const FULL = 'ai-full';
// Its Secrets are not refused, so its pods have all they need of those; a pod that mounts the bundle cannot start there.
const AGENTS = [...PROBED_AGENTS, { namespace: FULL, name: 'agent-a', hasBundle: false }];
const WORLD = { agents: AGENTS, seed: 2 };
const LEASE = ['--lease-duration=1s', '--renew-deadline=800ms', '--retry-period=200ms'];
const KILLS = 50;
/** More than without kills: so many operators have to start that fewer handshakes are made. */
const WANTED = 80_000;
/** Between two kills at most, before it is divided: they are to go on until the next generation signs. */
const KILL_WITHIN_MS = 750_000;

describe('agents that talk to each other while operators are killed and one namespace takes no bundle', () => {
  it(`do not fail once in a rotation with ${KILLS} kills`, async function () {
    this.timeout(PROBED_TIMEOUT_MS);
    await expectProbed((asked) =>
      withProbedCluster(WORLD, async ({ controlPlane, client, startOperator }) => {
        const acceleration = asked ?? (await affordableAcceleration(WANTED));
        await fillNamespace(controlPlane, client, FULL);
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
        const found = await probeRotation({ ...WORLD, acceleration, client, outgoing, meanwhile });
        const bundle = await client.find(CONFIG_MAP, { namespace: FULL, name: 'agent-trust-bundle' });
        expect(bundle).to.equal(undefined);
        const notes = (await authorityNotes(client)).join('\n');
        expect(notes).to.match(new RegExp(`NamespaceExcluded: [^\n]*: ${FULL} \\(`));
        return found;
      }),
    );
  });
});
