import { expect } from 'chai';
import type { HeldKey } from '../../../../src/domain/signing/keys.ts';
import { planSigningKeys, type SigningWish } from '../../../../src/domain/signing/plan.ts';
import { carriedOut, DAY, HOUR, held, START, WISH } from './fixture.ts';

const MINUTE = 60;

/** A life with a reconcile each minute, or at the given instants: when what was written, and the keys at the end. */
function live(
  wish: SigningWish,
  { from, seconds, keys = [] }: { from: number; seconds: number; keys?: readonly HeldKey[] },
): { readonly writes: readonly string[]; readonly keys: readonly HeldKey[] } {
  const writes: string[] = [];
  let held = keys;
  let count = 0;
  for (let now = from; now <= from + seconds; now += MINUTE) {
    const plan = planSigningKeys(held, wish, now * 1000);
    if (plan.kind === 'keep') continue;
    held = carriedOut(plan.keys, () => `key-${count++}`);
    writes.push(`${(now - from) / MINUTE} ${plan.reason}`);
  }
  return { writes, keys: held };
}

function states(keys: readonly HeldKey[]): readonly string[] {
  return keys.map(({ kid, state }) => `${kid} ${state}`);
}

const active = held('old', { state: 'Active', createdMs: START * 1000, since: START - MINUTE });
const next = held('new', {
  state: 'Next',
  createdMs: (START + DAY - 30 * MINUTE) * 1000,
  since: START + DAY - MINUTE,
});

describe('planSigningKeys', () => {
  it('makes the first key Active at once', () => {
    expect(planSigningKeys([], WISH, START * 1000)).to.deep.equal({
      kind: 'write',
      reason: 'First',
      keys: [{ state: 'Active', createdMs: START * 1000, since: START - MINUTE, algorithm: 'ES256' }],
    });
  });

  it('publishes a key for 30 minutes before it signs, and drops the one before when nothing of it is good', () => {
    const day = (DAY / MINUTE) as number;
    const { writes } = live(WISH, { from: START, seconds: 2 * DAY + HOUR });
    expect(writes).to.deep.equal([
      '0 First',
      `${day - 30} Prepared`,
      `${day} Rotated`,
      `${day + 73} Expired`,
      `${2 * day - 30} Prepared`,
      `${2 * day} Rotated`,
    ]);
  });

  it('does so with an interval of an hour, too, where two are Retiring for a while', () => {
    const { writes, keys } = live({ ...WISH, rotationSeconds: HOUR }, { from: START, seconds: 2 * HOUR });
    expect(writes).to.deep.equal(['0 First', '30 Prepared', '60 Rotated', '90 Prepared', '120 Rotated']);
    expect(states(keys)).to.deep.equal(['key-0 Retiring', 'key-1 Retiring', 'key-2 Active']);
  });

  it('accepts what the key before signs until kubelets have brought the new one, and a minute for clocks', () => {
    const now = START + DAY;
    expect(planSigningKeys([active, next], WISH, now * 1000)).to.deep.include({
      reason: 'Rotated',
      keys: [
        { ...without(active), state: 'Retiring', until: now + 3 * MINUTE },
        { ...without(next), state: 'Active' },
      ],
    });
  });

  it('lets a key that is long due take over at once, and publishes the one after it', () => {
    const plan = planSigningKeys([active, next], WISH, (START + 10 * DAY) * 1000);
    expect(plan.kind === 'write' && plan.keys.map(({ state }) => state)).to.deep.equal([
      'Retiring',
      'Active',
      'Next',
    ]);
  });

  it('says when to look again', () => {
    const at = (now: number, keys: readonly HeldKey[], wish = WISH): number => {
      const plan = planSigningKeys(keys, wish, now * 1000);
      return plan.kind === 'keep' ? plan.recheckAtMs / 1000 - START : Number.NaN;
    };
    const retiring = held('gone', { state: 'Retiring', createdMs: 0, since: 0, until: START });
    expect([
      at(START, [active]),
      at(START + DAY - 30 * MINUTE, [active, next]),
      at(START, [active, retiring]),
      at(START, [active], { ...WISH, refuseBeforeMs: [(START + 5) * 1000] }),
    ]).to.deep.equal([DAY - 30 * MINUTE, DAY, 70 * MINUTE, 5]);
  });

  it('goes to another algorithm through Next', () => {
    const now = START + HOUR;
    const wish = { ...WISH, algorithm: 'Ed25519' } as const;
    const { writes, keys } = live(wish, { from: now, seconds: 30 * MINUTE, keys: [active] });
    expect(writes).to.deep.equal(['0 Prepared', '30 Rotated']);
    expect(keys.map(({ jwk, state }) => `${jwk.kty} ${state}`)).to.deep.equal(['EC Retiring', 'OKP Active']);
  });

  it('replaces a Next of another algorithm, unless an agent may be about to sign with it', () => {
    const wish = { ...WISH, algorithm: 'Ed25519' } as const;
    const far = planSigningKeys([active, next], wish, (START + DAY - 20 * MINUTE) * 1000);
    expect(
      far.kind === 'write' && far.keys.map((key) => ('kid' in key ? key.kid : key.algorithm)),
    ).to.deep.equal(['old', 'Ed25519']);
    expect(planSigningKeys([active, next], wish, (START + DAY - 2 * MINUTE) * 1000).kind).to.equal('keep');
  });

  describe('for a compromised key', () => {
    const now = START + DAY - 10 * MINUTE;

    it('drops all that were made before, whatever their state, and has a new one at once', () => {
      const retiring = held('gone', { state: 'Retiring', createdMs: 0, since: 0, until: now });
      const wish = { ...WISH, refuseBeforeMs: [now * 1000] };
      const plan = planSigningKeys([retiring, active, next], wish, now * 1000);
      expect(plan).to.deep.equal({
        kind: 'write',
        reason: 'Compromised',
        keys: [{ state: 'Active', createdMs: now * 1000, since: now - MINUTE, algorithm: 'ES256' }],
      });
      const keys = plan.kind === 'write' ? carriedOut(plan.keys, () => 'fresh') : [];
      expect(planSigningKeys(keys, wish, now * 1000).kind).to.equal('keep');
    });

    it('keeps those that were made later', () => {
      const wish = { ...WISH, refuseBeforeMs: [START * 1000 + 1] };
      const plan = planSigningKeys([active, next], wish, now * 1000);
      expect(
        plan.kind === 'write' && plan.keys.map((key) => ('kid' in key ? key.kid : key.state)),
      ).to.deep.equal(['new', 'Active']);
    });

    it('waits for an instant that has not come', () => {
      const wish = { ...WISH, refuseBeforeMs: [(now + 1) * 1000] };
      expect(planSigningKeys([active, next], wish, now * 1000)).to.deep.equal({
        kind: 'keep',
        recheckAtMs: (now + 1) * 1000,
      });
    });
  });

  describe('for a broken key', () => {
    it('makes another Active at once, still accepts what the broken one has signed, and keeps the others', () => {
      const now = START + DAY - 10 * MINUTE;
      const plan = planSigningKeys([{ ...active, isUsable: false }, next], WISH, now * 1000);
      expect(plan).to.deep.equal({
        kind: 'write',
        reason: 'Broken',
        keys: [
          { ...without(active), state: 'Retiring', until: now + 3 * MINUTE },
          without(next),
          { state: 'Active', createdMs: now * 1000, since: now - MINUTE, algorithm: 'ES256' },
        ],
      });
    });

    it('makes another Next', () => {
      const now = START + DAY - 10 * MINUTE;
      const plan = planSigningKeys([active, { ...next, isUsable: false }], WISH, now * 1000);
      const since = now + 29 * MINUTE;
      expect(plan).to.deep.equal({
        kind: 'write',
        reason: 'Broken',
        keys: [without(active), { state: 'Next', createdMs: now * 1000, since, algorithm: 'ES256' }],
      });
    });
  });

  it('keeps the keys when the clock is set forward and back again', () => {
    const year = 365 * DAY;
    const ahead = planSigningKeys([active], WISH, (START + year) * 1000);
    const keys = ahead.kind === 'write' ? carriedOut(ahead.keys, () => 'made ahead') : [];
    const back = planSigningKeys(keys, WISH, (START + MINUTE) * 1000);
    expect(back.kind === 'write' && [back.reason, ...back.keys]).to.deep.equal([
      'ClockSet',
      without(active),
      {
        ...without(keys[1] ?? active),
        createdMs: (START + MINUTE) * 1000,
        since: START + 30 * MINUTE,
      },
    ]);
  });

  it('never publishes more than eight', () => {
    const many = Array.from({ length: 12 }, (_, at) =>
      held(`old-${at}`, { state: 'Retiring', createdMs: 0, since: 0, until: START + at }),
    );
    const plan = planSigningKeys([active, ...many], WISH, START * 1000);
    expect(plan.kind === 'write' && plan.keys.map((key) => ('kid' in key ? key.kid : ''))).to.deep.equal([
      'old',
      ...many.slice(6).map(({ kid }) => kid),
    ]);
  });
});

function without({ isUsable: _, ...key }: HeldKey): object {
  return key;
}
