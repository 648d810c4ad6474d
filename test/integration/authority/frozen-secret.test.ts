/** The Secret with the keys cannot be written: what is prepared signs all the same, and what is revoked goes as soon as it can. */

import { expect } from 'chai';
import { AuthorityProbe, authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type FrozenObject, freeze, thaw } from '../../support/frozen.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Settles within three seconds, and nothing is due by itself. */
const FLAGS = [`--namespaces=${AGENTS}`, '--authority-life=8760h', '--authority-acceleration=200'];
/** What somebody else's policy may do to us, once three generations are in it. */
const FROZEN: FrozenObject = {
  resource: 'secrets',
  name: 'agent-trust-ca',
  operations: ['UPDATE'],
  unless: 'size(oldObject.data) < 6',
};

describe('an authority whose Secret cannot be written', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    await freeze(controlPlane(), FROZEN);
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
    await swarm().createAgent('agent-a');
    await swarm().ready('agent-a');
  });
  after(() => operator?.stop());

  const rotate = (): Promise<void> => authority.ask({ rotateBefore: new Date().toISOString() });

  it('lets the next one sign although what is revoked cannot be dropped, and says so', async () => {
    const { signing: first } = await authority.see();
    await rotate();
    const { signing: second } = await authority.until(
      'the second to sign',
      ({ signing }) => signing !== first,
    );
    await rotate();
    await authority.until('the third', ({ generations }) => generations.size === 3);
    await authority.ask({ revoke: first });
    const { signing: third } = await authority.until('it to sign', ({ signing }) => signing !== second);
    expect(await authority.kept()).to.have.members([first, second, third]);
    await eventually('the event', async () =>
      (await authorityNotes(swarm().client)).some(
        (note) =>
          note.startsWith('AuthorityStalled: ') &&
          note.includes('update secrets agent-trust-system/agent-trust-ca: '),
      ),
    );
  });

  it('drops it as soon as it can', async () => {
    const [first = ''] = (await authority.see()).generations.keys();
    await thaw(controlPlane());
    await authority.until('it to be gone', ({ generations }) => !generations.has(first));
    expect(await authority.kept()).to.not.include(first);
    await eventually('no stall', async () =>
      (await operator.registry.metrics()).split('\n').includes('agent_trust_authority_stalled 0'),
    );
  });
});
