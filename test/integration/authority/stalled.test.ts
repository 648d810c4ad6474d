/** The state of the authority cannot be written: whoever signs goes on, everybody is told, and it ends by itself. */

import { expect } from 'chai';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { AuthorityProbe, authorityNotes, UNHURRIED } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type FrozenObject, freeze, thaw } from '../../support/frozen.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Settles within two seconds, and nothing is due by itself. */
const FLAGS = [`--namespaces=${AGENTS}`, ...UNHURRIED];
const STATE = 'agent-trust-authority-state';
const FROZEN: FrozenObject = {
  resource: 'configmaps',
  name: STATE,
  operations: ['CREATE', 'UPDATE'],
  unless: 'false',
};

describe('an authority whose state cannot be written', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  const start = (): Promise<RunningOperator> => startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  const signerOf = async (name: string): Promise<string> => {
    await swarm().createAgent(name);
    await swarm().ready(name);
    return (await authority.inSecret(`${name}-tls`)).signedBy;
  };
  const isStalled = async (): Promise<boolean> =>
    (await operator.registry.metrics()).split('\n').includes('agent_trust_authority_stalled 1');

  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    operator = await start();
    await signerOf('agent-a');
    const { signing: first } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    await authority.until('the next one to sign', ({ signing }) => signing !== first);
    await freeze(controlPlane(), FROZEN);
    await eventually('the policy to hold', async () => {
      const patch = ['--type=merge', '-p', '{"data":{"message":"x"}}'];
      const tried = await controlPlane().kubectl(
        ['patch', 'configmap', STATE, '-n', OPERATOR_NAMESPACE, ...patch],
        { mayFail: true },
      );
      return tried.exitStatus !== 0;
    });
  });
  after(() => operator?.stop());

  it('does not rotate, says why, and goes on signing', async () => {
    const { signing } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    await eventually('the metric', isStalled);
    await eventually('the event', async () =>
      (await authorityNotes(swarm().client)).some(
        (note) =>
          note.startsWith('AuthorityStalled: The rotation stands still: ') &&
          note.includes(`Generation ${signing} goes on signing`),
      ),
    );
    expect(await signerOf('agent-b')).to.equal(signing);
    expect((await authority.see()).signing).to.equal(signing);
  });

  it('has what is revoked leave every bundle all the same', async () => {
    const { signing, generations } = await authority.see();
    const revoked = [...generations.keys()].find((id) => generations.get(id)?.phase === 'retiring') ?? '';
    expect(await authority.inBundle()).to.include.members([revoked, signing]);
    await authority.ask({ revoke: revoked });
    await eventually('bundle and Secrets without it', async () => {
      expect(await authority.inBundle()).to.not.include(revoked);
      expect((await authority.inSecret('agent-b-tls')).carries).to.not.include(revoked);
      return true;
    });
    expect(await authority.kept()).to.not.include(revoked);
  });

  it('signs under the next leader too, as the state says', async () => {
    const { signing } = await authority.see();
    await operator.stop();
    operator = await start();
    expect(await signerOf('agent-c')).to.equal(signing);
    await eventually('the metric', isStalled);
  });

  it('goes on where it stood as soon as it can be written', async () => {
    const { signing: before } = await authority.see();
    await thaw(controlPlane());
    const { signing } = await authority.until('the next one to sign', (seen) => seen.signing !== before);
    expect(await signerOf('agent-d')).to.equal(signing);
    await eventually('no stall', async () => !(await isStalled()));
    const state = await swarm().client.get(CONFIG_MAP, { namespace: OPERATOR_NAMESPACE, name: STATE });
    expect(state.metadata.annotations).to.have.property('agenttrust.dev/lease-epoch');
  });
});
