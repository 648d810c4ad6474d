/** What an administrator asks of the authority by a ConfigMap: rotate now, taint, revoke; and what cannot be read. */

import { expect } from 'chai';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { AuthorityProbe, authorityNotes, UNHURRIED } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const NAMES = ['agent-a', 'agent-b', 'agent-c'];

describe('an administrator of the authority', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let authority: AuthorityProbe;

  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    const flags = [`--namespaces=${AGENTS}`, ...UNHURRIED, '--reissue-rate=1'];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
    for (const name of NAMES) await swarm().createAgent(name);
    for (const name of NAMES) await swarm().ready(name);
  });
  after(() => operator?.stop());

  const areSignedBy = (id: string): Promise<boolean> =>
    eventually(`all to be signed by ${id}`, async () => {
      const found = await Promise.all(NAMES.map((name) => authority.inSecret(`${name}-tls`)));
      return found.every(({ signedBy }) => signedBy === id);
    });
  const hasNote = (start: string): Promise<boolean> =>
    eventually(`the event ${start}`, async () => {
      const notes = await authorityNotes(swarm().client);
      expect(notes.filter((note) => note.startsWith(start))).to.have.length.above(0);
      return true;
    });

  it('is told what cannot be read, and nothing of it is done', async () => {
    const { signing } = await authority.see();
    await authority.ask({ rotateBefore: 'tomorrow', taint: signing, colour: 'red' });
    const says =
      'Nothing of ConfigMap agent-trust-authority is done: key colour is none of rotateBefore, taint, revoke; rotateBefore "tomorrow" is no RFC 3339 instant such as 2026-03-01T12:00:00Z.';
    await authority.until('the problem', ({ texts }) => texts['problem'] === says);
    await hasNote('IntentRefused: Nothing of it is done: key colour');
    expect(await operator.registry.metrics()).to.contain('agent_trust_authority_intent_problems 2');
    const { generations } = await authority.see();
    expect([...generations]).to.have.length(1);
    expect(generations.get(signing)).to.not.have.property('taintedAt');
    await authority.ask({ rotateBefore: null, taint: null, colour: null });
    await authority.until('no problem', ({ texts }) => texts['problem'] === undefined);
  });

  it('taints the one that signs: another one takes over, and all certificates are replaced at the rate', async () => {
    const { signing: tainted } = await authority.see();
    await authority.ask({ taint: `${tainted}, 0123456789abcdef` });
    const { signing, texts } = await authority.until(
      'another one to sign',
      (seen) => seen.signing !== tainted,
    );
    expect(texts['notes']).to.equal('taint: there is no generation 0123456789abcdef (any more)');
    // Whoever takes the request away again does not end what it has begun.
    await authority.ask({ taint: null });
    await areSignedBy(signing);
    const done = await authority.until('the end of it', ({ generations }) =>
      [...generations.values()].every((each) => each.phase !== 'retiring' || each.reissuedAt !== undefined),
    );
    expect(done.generations.get(tainted)).to.have.property('taintedAt');
    await hasNote(`AuthorityTainted: Generation ${tainted} is tainted`);
    await hasNote(`ReissueStarted: Replacing `);
    await hasNote(`ReissueFinished: No Secret holds a certificate of generation ${tainted}`);
  });

  it('rotates now, once', async () => {
    const { signing: first } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const { signing } = await authority.until('another one to sign', (seen) => seen.signing !== first);
    const { generations } = await authority.see();
    expect([...generations.keys()].slice(-2)).to.deep.equal([first, signing]);
    expect(generations.get(first)).to.include({ phase: 'retiring', reissueTotal: 3 });
    expect((await authority.inSecret('agent-a-tls')).carries).to.include.members([first, signing]);
  });

  it('revokes one that retires: it leaves bundles and Secrets at once', async () => {
    const { generations, signing } = await authority.see();
    const [oldest = ''] = generations.keys();
    expect(oldest).to.not.equal(signing);
    await authority.ask({ rotateBefore: null, revoke: oldest });
    await authority.until('it to be gone', (seen) => !seen.generations.has(oldest));
    await eventually('bundle and Secrets without it', async () => {
      expect(await authority.inBundle()).to.not.include(oldest);
      expect((await authority.inSecret('agent-a-tls')).carries).to.not.include(oldest);
      return true;
    });
    expect(await authority.kept()).to.not.include(oldest);
    await hasNote(`AuthorityRevoked: Generation ${oldest} is trusted no more`);
  });

  it('revokes the one that signs: another one takes over first', async () => {
    const { signing: revoked } = await authority.see();
    await swarm().createAgent('agent-d');
    await swarm().ready('agent-d');
    expect((await authority.inSecret('agent-d-tls')).signedBy).to.equal(revoked);
    await authority.ask({ revoke: revoked });
    const { signing } = await authority.until('it to be gone', (seen) => !seen.generations.has(revoked));
    await eventually('bundle and Secrets without it', async () => {
      expect(await authority.inBundle()).to.not.include(revoked);
      const { carries, signedBy } = await authority.inSecret('agent-d-tls');
      expect(carries).to.not.include(revoked);
      return signedBy === signing;
    });
  });

  it('has the phases put back when somebody deletes or alters them', async () => {
    await authority.ask({ revoke: null });
    const { signing, texts } = await authority.until(
      'nothing to be asked',
      (seen) => seen.texts['notes'] === undefined,
    );
    const name = { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-authority-state' };
    await swarm().client.delete(CONFIG_MAP, name);
    expect((await authority.until('the state', () => true)).signing).to.equal(signing);
    await swarm().client.mergePatch(CONFIG_MAP, { ...name, patch: { data: { generations: '{}' } } });
    const mended = await authority.until('the state', () => true);
    expect(mended.texts['generations']).to.equal(texts['generations']);
  });
});
