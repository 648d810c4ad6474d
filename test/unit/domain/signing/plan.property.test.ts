/** The keys of one agent through random lives: clocks that differ, writes that are lost, operators that die, and people. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { HeldKey } from '../../../../src/domain/signing/keys.ts';
import { planSigningKeys, type SigningWish } from '../../../../src/domain/signing/plan.ts';
import { carriedOut, HOUR, START, WISH } from './fixture.ts';

const RUNS = { numRuns: 1_000 };
/** A kubelet brings new files within so many seconds. */
const MOUNT_SECONDS = 120;

type Event =
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'reconcile'; readonly fate: 'answered' | 'lost' | 'refused' }
  | { readonly kind: 'clock'; readonly offsetSeconds: number }
  | { readonly kind: 'wish'; readonly wish: Partial<SigningWish> }
  | { readonly kind: 'compromised' }
  | { readonly kind: 'break'; readonly state: 'Active' | 'Next' };

const wait: fc.Arbitrary<Event> = fc
  .oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 200, max: 4 * HOUR }))
  .map((seconds) => ({ kind: 'wait', seconds }));
const reconcile: fc.Arbitrary<Event> = fc
  .constantFrom<'answered' | 'lost' | 'refused'>('answered', 'answered', 'answered', 'lost', 'refused')
  .map((fate) => ({ kind: 'reconcile', fate }));
const wish: fc.Arbitrary<Event> = fc
  .record(
    {
      algorithm: fc.constantFrom<'ES256' | 'Ed25519'>('ES256', 'Ed25519'),
      rotationSeconds: fc.constantFrom(HOUR, 2 * HOUR, 24 * HOUR),
    },
    { requiredKeys: [] },
  )
  .map((changes) => ({ kind: 'wish', wish: changes }));
const breakage: fc.Arbitrary<Event> = fc
  .constantFrom<'Active' | 'Next'>('Active', 'Next')
  .map((state) => ({ kind: 'break', state }));

function lives(clock: fc.Arbitrary<number>): fc.Arbitrary<readonly Event[]> {
  const moved = clock.map((offsetSeconds): Event => ({ kind: 'clock', offsetSeconds }));
  return fc.array(
    fc.oneof(
      { weight: 8, arbitrary: wait },
      { weight: 8, arbitrary: reconcile },
      { weight: 2, arbitrary: moved },
      { weight: 1, arbitrary: wish },
      { weight: 1, arbitrary: fc.constant<Event>({ kind: 'compromised' }) },
      { weight: 1, arbitrary: breakage },
    ),
    { maxLength: 120 },
  );
}

/** The Secret of an agent, and what was in it before. */
class World {
  now = START;
  writes = 0;
  keys: readonly HeldKey[] = [];
  /** When each content was written. */
  readonly contents: { readonly at: number; readonly keys: readonly HeldKey[] }[] = [];
  readonly dropped = new Set<string>();
  /** Those of them that a compromised rotation dropped. */
  readonly refused = new Set<string>();
  #offset = 0;
  #wish = WISH;
  #made = 0;

  live(event: Event): void {
    switch (event.kind) {
      case 'wait':
        this.now += event.seconds;
        return;
      case 'clock':
        this.#offset = event.offsetSeconds;
        return;
      case 'wish':
        this.#wish = { ...this.#wish, ...event.wish };
        return;
      case 'compromised':
        this.#wish = { ...this.#wish, refuseBeforeMs: [(this.now + this.#offset) * 1000] };
        return;
      case 'break':
        this.keys = this.keys.map((key) => (key.state === event.state ? { ...key, isUsable: false } : key));
        return;
      case 'reconcile':
        // A write that was carried out and not answered is as one that was: there is no memory to be wrong.
        if (event.fate !== 'refused') this.#reconcile();
    }
  }

  #reconcile(): void {
    const nowMs = (this.now + this.#offset) * 1000;
    const plan = planSigningKeys(this.keys, this.#wish, nowMs);
    if (plan.kind === 'keep') {
      expect(plan.recheckAtMs).to.be.above(nowMs);
      return;
    }
    const before = this.keys;
    this.keys = carriedOut(plan.keys, () => `key-${this.#made++}`);
    this.writes += 1;
    this.contents.push({ at: this.now, keys: this.keys });
    for (const { kid } of before) {
      if (this.keys.some((key) => key.kid === kid)) continue;
      this.dropped.add(kid);
      if (plan.reason === 'Compromised') this.refused.add(kid);
    }
    expect(planSigningKeys(this.keys, this.#wish, nowMs).kind).to.equal('keep');
  }

  /** Contents that a pod may still have. */
  mounted(): readonly (readonly HeldKey[])[] {
    const last = this.contents.findLastIndex(({ at }) => at <= this.now - MOUNT_SECONDS);
    return this.contents.slice(Math.max(0, last)).map(({ keys }) => keys);
  }
}

function expectOneOfEach(keys: readonly HeldKey[]): void {
  const count = (wanted: HeldKey['state']): number => keys.filter(({ state }) => state === wanted).length;
  expect([count('Active'), count('Next') <= 1, keys.length <= 8]).to.deep.equal([1, true, true]);
  expect(new Set(keys.map(({ kid }) => kid)).size).to.equal(keys.length);
}

/** What an agent signs with: what `signing.key` is, and the newest whose time has come. */
function choices(keys: readonly HeldKey[], now: number): readonly (HeldKey | undefined)[] {
  const signing = keys.filter(({ state }) => state !== 'Retiring');
  return [
    signing.find(({ state }) => state === 'Active'),
    signing.filter(({ since }) => since <= now).sort((left, right) => right.since - left.since)[0],
  ];
}

describe('planSigningKeys, for random lives', () => {
  it('has exactly one Active once there is any, and never a kid twice, whatever the clock says', () => {
    const clock = fc.oneof(fc.constant(0), fc.integer({ min: -1_000 * HOUR, max: 1_000 * HOUR }));
    fc.assert(
      fc.property(lives(clock), (events) => {
        const world = new World();
        for (const event of events) {
          world.live(event);
          if (world.keys.length > 0) expectOneOfEach(world.keys);
          expect(world.keys.filter(({ kid }) => world.dropped.has(kid))).to.deep.equal([]);
        }
      }),
      RUNS,
    );
  });

  it('accepts what an agent signs with files of the last two minutes, with clocks that differ by 30 s', () => {
    let signed = 0;
    const clock = fc.integer({ min: -30, max: 30 });
    fc.assert(
      fc.property(lives(clock), (events) => {
        const world = new World();
        for (const event of events) {
          world.live(event);
          for (const key of world.mounted().flatMap((keys) => choices(keys, world.now))) {
            if (key === undefined || world.refused.has(key.kid)) continue;
            signed += 1;
            const published = world.keys.find(({ kid }) => kid === key.kid);
            const { since = Number.NaN, until = Number.POSITIVE_INFINITY } = published ?? {};
            expect(since <= world.now && world.now <= until, `${key.kid} at ${world.now}`).to.equal(true);
          }
        }
      }),
      RUNS,
    );
    expect(signed).to.be.above(RUNS.numRuns);
  });

  it('writes three times for each rotation at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 * 60 }), { maxLength: 400 }), (waits) => {
        const world = new World();
        world.live({ kind: 'wish', wish: { rotationSeconds: HOUR } });
        for (const seconds of waits) {
          world.live({ kind: 'reconcile', fate: 'answered' });
          world.live({ kind: 'wait', seconds });
        }
        const rotations = Math.ceil((world.now - START) / HOUR);
        expect(world.writes).to.be.at.most(1 + 3 * rotations);
      }),
      RUNS,
    );
  });

  it('makes at most one key when the clock is set anywhere and back, and keeps the one that signs', () => {
    fc.assert(
      fc.property(
        lives(fc.constant(0)),
        fc.integer({ min: -1_000 * HOUR, max: 1_000 * HOUR }),
        (events, offsetSeconds) => {
          const world = new World();
          for (const event of [...events, { kind: 'reconcile', fate: 'answered' } as const])
            world.live(event);
          const [before, activeBefore] = [world.keys, choices(world.keys, world.now)[0]?.kid];
          // Not one that is due, or is there when the clock passes over the rest of its time.
          fc.pre(!before.some(({ state }) => state === 'Next'));
          world.live({ kind: 'clock', offsetSeconds });
          world.live({ kind: 'reconcile', fate: 'answered' });
          world.live({ kind: 'clock', offsetSeconds: 0 });
          world.live({ kind: 'reconcile', fate: 'answered' });
          expect(choices(world.keys, world.now)[0]?.kid).to.equal(activeBefore);
          const made = world.keys.filter(({ kid }) => !before.some((key) => key.kid === kid));
          expect(made.length).to.be.at.most(1);
        },
      ),
      RUNS,
    );
  });
});
