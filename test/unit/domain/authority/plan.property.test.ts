/** Whatever becomes of writes, leaders and clocks: nobody is shown a certificate that they do not trust yet, or no more. */

import { expect } from 'chai';
import fc from 'fast-check';
import {
  AuthorityWorld,
  type Fate,
  type Fates,
  LIFE_MS,
  type Treatment,
} from '../../../support/authority-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Act =
  | {
      readonly kind: 'work';
      readonly fates: Fates;
      readonly clock: Clock;
      readonly due: readonly (readonly [number, boolean])[];
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'treat'; readonly at: number; readonly treatment: Treatment }
  | {
      readonly kind:
        | 'new-leader'
        | 'blind-leader'
        | 'late-write'
        | 'lose-state'
        | 'lose-ledger'
        | 'refuse'
        | 'rotate'
        | 'taint'
        | 'revoke';
    };

interface Clock {
  readonly skewMs: number;
  readonly isClockTrusted: boolean;
}

const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fate>('done') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('crash-before', 'crash-after', 'answer-lost', 'refused') },
);
const clock: fc.Arbitrary<Clock> = fc.oneof(
  fc.record({ skewMs: fc.integer({ min: -30_000, max: 30_000 }), isClockTrusted: fc.constant(true) }),
  fc.record({
    skewMs: fc.integer({ min: -48, max: 48 }).map((hours) => hours * HOUR_MS),
    isClockTrusted: fc.constant(false),
  }),
);
const due = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.boolean()), { maxLength: 4 });
const work: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('work' as const),
  fates: fc.tuple(fate, fate),
  clock,
  due,
});
const pass: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('pass' as const),
  ms: fc.oneof(fc.integer({ min: 1, max: 5 * MINUTE_MS }), fc.integer({ min: MINUTE_MS, max: 36 * HOUR_MS })),
});
const seldom: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(
    ...([
      'new-leader',
      'blind-leader',
      'late-write',
      'lose-state',
      'lose-ledger',
      'refuse',
      'rotate',
      'taint',
      'revoke',
    ] as const),
  ),
});
const treatments = fc.constantFrom<Treatment>('served', 'withheld', 'unseen', 'wiped');
const treat: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('treat' as const),
  at: fc.integer({ min: 0, max: 2 }),
  treatment: treatments,
});
const acts = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: work },
    { weight: 6, arbitrary: pass },
    { weight: 1, arbitrary: seldom },
    { weight: 1, arbitrary: treat },
  ),
  { minLength: 50, maxLength: 400, size: 'max' },
);

function happen(world: AuthorityWorld, act: Act): void {
  switch (act.kind) {
    case 'work':
      world.reconcile(act.fates, act.clock);
      for (const [at, renews] of act.due) world.distribute(at, renews);
      return;
    case 'pass':
      world.nowMs += act.ms;
      return;
    case 'new-leader':
      world.newLeader();
      return;
    case 'blind-leader':
      world.newLeader(true);
      return;
    case 'late-write':
      world.lateWrite();
      return;
    case 'lose-state':
      world.loseState();
      return;
    case 'lose-ledger':
      world.loseLedger();
      return;
    case 'treat':
      world.treat(act.at, act.treatment);
      return;
    case 'refuse':
      world.refuse();
      return;
    default:
      world.ask(act.kind);
  }
}

/** A leader that nothing happens to, for as long as it takes. */
function calm(world: AuthorityWorld, untilMs: number, stepMs: number = 2 * HOUR_MS): void {
  for (; world.nowMs < untilMs; world.nowMs += stepMs) {
    world.reconcile(['done', 'done'], { skewMs: 0, isClockTrusted: true });
    for (const [namespace] of world.namespaces.entries()) world.distribute(namespace, true);
    expect(world.failures()).to.deep.equal([]);
  }
}

describe('planAuthority, carried out by leaders that end at any moment', () => {
  it('never has a live certificate refused where its generation was seen', () => {
    fc.assert(
      fc.property(acts, (all) => {
        const world = new AuthorityWorld();
        for (const act of all) {
          happen(world, act);
          expect(world.failures(), world.story()).to.deep.equal([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rotates again and again, whatever happened before', () => {
    fc.assert(
      fc.property(acts, (all) => {
        const world = new AuthorityWorld();
        for (const act of all) happen(world, act);
        const before = world.signing;
        calm(world, world.nowMs + 3 * LIFE_MS);
        expect(world.signing).not.to.equal(before);
        expect(world.generations.length).to.be.lessThan(4);
      }),
      { numRuns: 20 },
    );
  });

  it('takes every agent along that holds a certificate, and waits for none that does not', () => {
    fc.assert(
      fc.property(fc.tuple(treatments, treatments, treatments), fc.boolean(), (all, isOver) => {
        const world = new AuthorityWorld();
        calm(world, world.nowMs + 2 * HOUR_MS);
        for (const [at, treatment] of all.entries()) world.treat(at, treatment);
        // Certificates live for a day.
        if (isOver) calm(world, world.nowMs + 26 * HOUR_MS);
        const before = world.signing;
        world.ask('rotate');
        calm(world, world.nowMs + HOUR_MS, MINUTE_MS);
        expect(world.signing).not.to.equal(before);
        expect([...world.excluding]).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  });
});
