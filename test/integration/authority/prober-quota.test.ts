/** Agents talk to each other while the authority rotates, and one namespace takes no bundle all the time. */

import { expect } from 'chai';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { expectProbed, PROBED_TIMEOUT_MS } from '../../support/authority/expect-probed.ts';
import { fillNamespace } from '../../support/authority/full-namespace.ts';
import { withProbedCluster } from '../../support/authority/prober-cluster.ts';
import { affordableAcceleration } from '../../support/authority/prober-pace.ts';
import {
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../support/authority/prober-rotation.ts';
import { authorityNotes } from '../../support/authority.ts';

const FULL = 'ai-full';
// Its Secrets are not refused, so its pods have all they need of those; a pod that mounts the bundle cannot start there.
const AGENTS = [...PROBED_AGENTS, { namespace: FULL, name: 'agent-a', hasBundle: false }];
const WORLD = { agents: AGENTS, seed: 3 };

describe('agents that talk to each other while one namespace takes no bundle', () => {
  it('do not fail once while the authority rotates', async function () {
    this.timeout(PROBED_TIMEOUT_MS);
    await expectProbed((asked) =>
      withProbedCluster(WORLD, async ({ controlPlane, client, startOperator }) => {
        const acceleration = asked ?? (await affordableAcceleration());
        await fillNamespace(controlPlane, client, FULL);
        const outgoing = await putAgedAuthority(client, acceleration);
        await startOperator(rotationFlags({ acceleration }));
        const found = await probeRotation({ ...WORLD, acceleration, client, outgoing });
        const bundle = await client.find(CONFIG_MAP, { namespace: FULL, name: 'agent-trust-bundle' });
        expect(bundle).to.equal(undefined);
        const notes = (await authorityNotes(client)).join('\n');
        expect(notes).to.match(new RegExp(`NamespaceExcluded: [^\n]*: ${FULL} \\(`));
        return found;
      }),
    );
  });
});
