import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryReplayStore } from '../../../../../src/domain/token/replay/memory-store.ts';
import type { Consumption } from '../../../../../src/domain/token/replay/replay-store.ts';
import { itKeepsThePromisesOfAReplayStore } from '../../../../support/token/replay-conformance.ts';
import { ACCEPTED, refused, useOf } from '../../../../support/token/replay-uses.ts';

const NOW = 1_000_000;

/** A store that has seen all for an hour, and its clock. */
function scene(capacity = 100): { readonly store: MemoryReplayStore; readonly clock: { now: number } } {
  const clock = { now: NOW - 3600 };
  const store = new MemoryReplayStore({ capacity, now: () => clock.now });
  clock.now = NOW;
  return { store, clock };
}

/** An attempt of its own each time. */
const use = (changes: Partial<Consumption> = {}): Consumption =>
  useOf(NOW, { issuedAtSeconds: NOW, keepUntilSeconds: NOW + 210, ...changes });

const childOf = (tokenId: string, changes: Partial<Consumption> = {}): Consumption =>
  use({ parent: { key: 'parent', maxChildren: 2, keepUntilSeconds: NOW + 300 }, tokenId, ...changes });

describe('MemoryReplayStore.consume', () => {
  itKeepsThePromisesOfAReplayStore({
    open: () => ({
      store: new MemoryReplayStore({ capacity: 1000, now: () => NOW }),
      nowSeconds: NOW,
      close: () => {},
    }),
    sequences: 2000,
  });

  it('remembers a token as long as it could live', () => {
    const { store, clock } = scene();
    store.consume(use());
    clock.now = NOW + 209;
    expect(store.consume(use()).kind).to.equal('refused');
    expect(store.size).to.equal(1);
  });

  it('forgets what cannot live, and then does not know it', () => {
    const { store, clock } = scene();
    store.consume(childOf('child'));
    expect(store.size).to.equal(2);
    clock.now = NOW + 310;
    expect(store.consume(use())).to.deep.equal(refused('replay_unknown'));
    expect(store.size).to.equal(0);
  });

  it('remembers all uses of a token as long as it could live, whatever ended before that has its identifier', () => {
    const { store, clock } = scene();
    store.consume(use({ keepUntilSeconds: NOW + 60, maxUses: 2 }));
    for (const kind of ['accepted', 'accepted', 'refused'])
      expect(store.consume(use({ maxUses: 2 })).kind).to.equal(kind);
    clock.now = NOW + 100;
    expect([store.consume(use({ maxUses: 2 })).kind, store.size]).to.deep.equal(['refused', 1]);
    clock.now = NOW + 220;
    store.consume(use({ presenter: 'another', keepUntilSeconds: NOW + 900 }));
    expect(store.size).to.equal(1);
  });

  it('does not know what it has forgotten when its clock goes back', () => {
    const { store, clock } = scene();
    store.consume(use());
    clock.now = NOW + 600;
    store.consume(use({ tokenId: 'another', issuedAtSeconds: NOW + 600, keepUntilSeconds: NOW + 800 }));
    clock.now = NOW;
    expect(store.consume(use())).to.deep.equal(refused('replay_unknown'));
  });

  it('begins a period with the first call that it accepts', () => {
    const { store, clock } = scene();
    const limited = (tokenId: string): Consumption =>
      use({
        tokenId,
        keepUntilSeconds: NOW + 900,
        rateLimit: { key: 'rule', delegations: 2, periodSeconds: 60 },
      });
    store.consume(limited('a'));
    expect(store.consume(limited('a'))).to.deep.equal({ ...refused('replayed'), isSameRequest: true });
    clock.now = NOW + 20.5;
    store.consume(limited('b'));
    expect(store.consume(limited('c'))).to.deep.equal({ ...refused('rate_limited'), retryAfterSeconds: 40 });
    clock.now = NOW + 60;
    expect(store.consume(limited('c'))).to.deep.equal(ACCEPTED);
  });

  it('refuses when it is full, and has room again when tokens end', () => {
    const { store, clock } = scene(8);
    const by = (presenter: number, tokenId: string): Consumption =>
      use({ tokenId, presenter: `presenter-${presenter}` });
    for (let index = 0; index < 7; index++)
      expect(store.consume(by(index, `${index}`))).to.deep.equal(ACCEPTED);
    expect(store.consume(by(9, 'one more'))).to.deep.equal(refused('store_unavailable'));
    expect(store.consume(by(0, '0')).kind).to.equal('refused');
    clock.now = NOW + 220;
    const later = { issuedAtSeconds: clock.now, keepUntilSeconds: clock.now + 210 };
    expect(store.consume({ ...by(9, 'one more'), ...later })).to.deep.equal(ACCEPTED);
    expect(store.size).to.equal(1);
  });

  it('gives one presenter at most a quarter', () => {
    const { store } = scene(8);
    for (const tokenId of ['a', 'b']) expect(store.consume(use({ tokenId }))).to.deep.equal(ACCEPTED);
    expect(store.consume(use({ tokenId: 'c' }))).to.deep.equal(refused('store_unavailable'));
    expect(store.consume(use({ tokenId: 'c', presenter: 'another' }))).to.deep.equal(ACCEPTED);
  });

  it('never accepts more uses than there are, in any order, whatever the clock does', () => {
    const step = fc.record({
      tokenId: fc.constantFrom('a', 'b', 'c'),
      tick: fc.constantFrom(0, 1, 40, 250, -300),
      attempt: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, maxUses) => {
        const { store, clock } = scene(6);
        const accepted = new Map<string, Set<string>>();
        for (const { tokenId, tick, attempt } of steps) {
          clock.now += tick;
          // What a verifier would not bring here any more: expired, by the same clock.
          if (clock.now >= NOW + 150) continue;
          const attemptId = `${tokenId}-${attempt}`;
          if (store.consume(use({ tokenId, maxUses, attemptId, presenter: tokenId })).kind === 'accepted')
            accepted.set(tokenId, (accepted.get(tokenId) ?? new Set()).add(attemptId));
        }
        for (const attemptIds of accepted.values()) expect(attemptIds.size).to.be.at.most(maxUses);
      }),
      { numRuns: 2000 },
    );
  });
});
