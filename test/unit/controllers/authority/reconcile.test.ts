/** A leader that takes the authority over, against a loopback server that holds what the one before has left. */

import { expect } from 'chai';
import { stateRecord } from '../../../../src/controllers/authority/state-object.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import type { GenerationState } from '../../../../src/domain/authority/facts.ts';
import { FIRST, GIVEN, type Left, NOW, OWN, SECOND, useLeaders } from '../../../support/authority/leaders.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { storedAuthority, T0 } from '../../crypto/fixture.ts';

const DAY = 86_400_000;
const SIGNING: GenerationState = { id: FIRST.id, phase: 'signing', preparedAtMs: T0, activatedAtMs: T0 };
const PREPARED: GenerationState = {
  id: SECOND.id,
  phase: 'prepared',
  preparedAtMs: T0 + 12 * DAY,
  seenSinceMs: T0 + 12 * DAY,
};

/** Signs, and nothing is due. */
const YOUNG = storedAuthority({ nowMs: NOW - DAY, lifeMs: 24 * DAY });
/** Its last leaf is over. */
const OLD = storedAuthority({ nowMs: T0 - 24 * DAY, lifeMs: 48 * DAY });

describe('authorityReconciler, as a new leader', () => {
  const leaders = useLeaders();

  it('knows what the one before has published: nothing begins again, and nothing is forced', async () => {
    await leaders().serve({ generations: [FIRST, SECOND], states: [SIGNING, PREPARED] });
    const { reconcile } = await leaders().lead('leader-1');
    await reconcile();
    expect(leaders().told).to.deep.equal(['AuthorityActivated', 'ReissueStarted', 'ReissueFinished']);
    expect(
      leaders()
        .state()
        .states?.map(({ phase }) => phase),
    ).to.deep.equal(['retiring', 'signing']);
  });

  it('notes, excludes and activates nothing before it has put anything into use', async () => {
    await leaders().serve({ generations: [FIRST, SECOND], states: [SIGNING] });
    const { reconcile } = await leaders().lead('leader-1');
    await reconcile();
    const found = { id: SECOND.id, phase: 'prepared', preparedAtMs: NOW } as const;
    expect(leaders().state().states).to.deep.equal([SIGNING, found]);
    await reconcile();
    expect(leaders().state().states).to.deep.equal([SIGNING, { ...found, seenSinceMs: NOW }]);
    expect(leaders().told).to.deep.equal([]);
  });

  it('looks again at its pace while what is due waits for a clock that can be trusted', async () => {
    await leaders().serve({ generations: [FIRST, SECOND], states: [SIGNING, PREPARED] });
    const { reconcile } = await leaders().lead('leader-1', { isClockTrusted: false });
    expect(await reconcile()).to.deep.equal({ kind: 'recheck', atMs: NOW + 5_000 });
    expect(leaders().told).to.deep.equal([]);
  });

  describe('while the Secret with the keys cannot be written', () => {
    const RETIRING: GenerationState = { id: OLD.id, phase: 'retiring', preparedAtMs: 0, retiringSinceMs: T0 };
    const cases: Readonly<Record<string, Left>> = {
      'one that is over is to be dropped': {
        generations: [OLD, FIRST, SECOND],
        states: [RETIRING, SIGNING, PREPARED],
      },
      'it is to be mended': {
        generations: [FIRST, SECOND],
        states: [SIGNING, PREPARED],
        alteration: { more: 'eA==' },
      },
    };
    for (const [what, left] of Object.entries(cases)) {
      it(`has the next one sign although ${what}, and says what failed`, async () => {
        await leaders().serve(left);
        leaders().refused.add('agent-trust-ca');
        const { reconcile } = await leaders().lead('leader-1');
        expect(await caughtKubeError(reconcile())).to.include({ code: 'KUBE_FORBIDDEN' });
        expect(
          leaders()
            .state()
            .states?.find(({ phase }) => phase === 'signing')?.id,
        ).to.equal(SECOND.id);
        expect(leaders().told).to.include('AuthorityActivated').and.include('AuthorityStalled');
        leaders().refused.clear();
        await reconcile();
        expect(leaders().onServer()).to.deep.equal([FIRST.id, SECOND.id]);
        expect(leaders().kept.get('agent-trust-ca')).to.not.have.nested.property('data.more');
      });
    }
  });

  describe('with an authority that is given', () => {
    if (GIVEN.reading.kind !== 'authority') throw new Error('it was not read');
    const { authority } = GIVEN.reading;
    const own: GenerationState = { id: YOUNG.id, phase: 'signing', preparedAtMs: NOW, activatedAtMs: NOW };
    const next: GenerationState = { id: authority.id, phase: 'prepared', preparedAtMs: NOW };

    for (const key of ['taint', 'revoke']) {
      it(`does not take it again once it is gone for a ${key}, nor does the next leader`, async () => {
        await leaders().serve({ generations: [YOUNG, authority], states: [own, next] });
        const first = await leaders().lead('leader-1', { isGiven: true, intent: { [key]: authority.id } });
        await first.reconcile();
        expect(leaders().onServer()).to.deep.equal([YOUNG.id]);
        const second = await leaders().lead('leader-2', { isGiven: true, intent: {} });
        first.ask({});
        for (const { reconcile } of [first, second]) {
          await reconcile();
          expect(leaders().onServer()).to.deep.equal([YOUNG.id]);
          expect(leaders().state().texts['given']).to.match(/ is refused: KeyRevoked: tls\.key: /);
        }
        expect(leaders().told).to.not.include('AuthorityPrepared');
      });
    }

    it('notes that it is not taken again before its key is gone', async () => {
      await leaders().serve({ generations: [YOUNG, authority], states: [own, next] });
      const { reconcile } = await leaders().lead('leader-1', {
        isGiven: true,
        intent: { revoke: authority.id },
      });
      await reconcile();
      const { written } = leaders();
      const at = written.findIndex(({ metadata }) => metadata.name === 'agent-trust-ca');
      const before = stateRecord(written[at - 1] as ConfigMap);
      expect([...before.refused.values()]).to.deep.equal([authority.id]);
      expect(before.states?.map(({ id }) => id)).to.have.members([YOUNG.id, authority.id]);
    });

    it('has what is revoked go although nobody can note it, and notes it as soon as that can be done', async () => {
      await leaders().serve({ generations: [YOUNG, authority], states: [own, next] });
      const { ask, reconcile } = await leaders().lead('leader-1', { isGiven: true, intent: {} });
      await reconcile();
      leaders().refused.add('agent-trust-authority-state');
      ask({ revoke: authority.id });
      expect(await caughtKubeError(reconcile())).to.include({ code: 'KUBE_FORBIDDEN' });
      expect(leaders().onServer()).to.deep.equal([YOUNG.id]);
      expect(leaders().state().refused.size).to.equal(0);
      leaders().refused.clear();
      ask({});
      await reconcile();
      expect(leaders().onServer()).to.deep.equal([YOUNG.id]);
      expect([...leaders().state().refused.values()]).to.deep.equal([authority.id]);
    });

    it('takes none before it is known what is asked for', async () => {
      await leaders().serve({ generations: [YOUNG], states: [own] });
      const blind = await leaders().lead('leader-1', { isGiven: true });
      await blind.reconcile();
      const { ask, reconcile } = await leaders().lead('leader-2', {
        isGiven: true,
        intent: { revoked: authority.id },
      });
      await reconcile();
      expect(leaders().onServer()).to.deep.equal([YOUNG.id]);
      expect(leaders().state().texts['given']).to.equal(
        `Secret ${OWN}/corporate-ca is refused: Generation ${authority.id} is not taken as long as ConfigMap agent-trust-authority cannot be read.`,
      );
      ask({});
      await reconcile();
      expect(leaders().onServer()).to.have.members([YOUNG.id, authority.id]);
    });
  });
});
