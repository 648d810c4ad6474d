/** What every store of used tokens promises, as tests to run against each of them. */

import { expect } from 'chai';
import fc from 'fast-check';
import type {
  Consumption,
  ConsumptionResult,
  ReplayStore,
} from '../../../src/domain/token/replay/replay-store.ts';
import { ReplayModel } from './replay-model.ts';
import { ACCEPTED, countOutcomes, presentAtOnce, refused, useOf } from './replay-uses.ts';

/** A store that begins now. */
export interface BegunStore {
  readonly store: ReplayStore;
  /** Its clock's time, a whole number; it may go on a few seconds during a test. */
  readonly nowSeconds: number;
  close(): void;
}

/** How to test a store. */
export interface ConformanceOptions {
  /** A new one that shares nothing with those before. */
  readonly open: () => Promise<BegunStore> | BegunStore;
  /** Sequences that are compared with the model. */
  readonly sequences: number;
}

const PERIOD_SECONDS = 3600;

/** Declares the tests. */
export function itKeepsThePromisesOfAReplayStore({ open, sequences }: ConformanceOptions): void {
  let begun: BegunStore;
  const use = (changes: Partial<Consumption> = {}): Consumption => useOf(begun.nowSeconds, changes);
  const childOf = (tokenId: string, changes: Partial<Consumption> = {}): Consumption =>
    use({
      parent: { key: 'parent', maxChildren: 2, keepUntilSeconds: begun.nowSeconds + 300 },
      tokenId,
      ...changes,
    });
  const ask = async (...uses: readonly Consumption[]): Promise<readonly ConsumptionResult[]> => {
    const results: ConsumptionResult[] = [];
    for (const each of uses) results.push(withoutElapsed(await begun.store.consume(each)));
    return results;
  };

  beforeEach(async () => {
    begun = await open();
  });
  afterEach(() => begun.close());

  it('accepts a token once, and each token', async () => {
    const results = await ask(
      use(),
      use(),
      use({ fingerprint: 'another' }),
      use({ tokenId: 'another token' }),
      use({ presenter: 'another' }),
    );
    expect(results).to.deep.equal([
      ACCEPTED,
      refused('replayed', { isSameRequest: true }),
      refused('replayed', { isSameRequest: false }),
      ACCEPTED,
      ACCEPTED,
    ]);
  });

  for (const maxUses of [1, 3, 5]) {
    it(`accepts ${maxUses} of 64 presentations at once when max_uses is ${maxUses}`, async () => {
      const uses = Array.from({ length: 64 }, () => use({ maxUses }));
      expect(countOutcomes(await presentAtOnce(begun.store, uses))).to.deep.equal({
        accepted: maxUses,
        replayed: 64 - maxUses,
      });
    });
  }

  it('N8 accepts the same attempt again without another use', async () => {
    const [first, second] = [use({ maxUses: 2 }), use({ maxUses: 2 })];
    const results = await ask(first, first, first, second, second, use({ maxUses: 2 }));
    expect(results).to.deep.equal([
      ...Array.from({ length: 5 }, () => ACCEPTED),
      refused('replayed', { isSameRequest: true }),
    ]);
  });

  it('refuses the attempt of another request', async () => {
    const first = use({ maxUses: 2, proofId: 'a' });
    expect(await ask(first, { ...first, fingerprint: 'another' }, { ...first, proofId: 'b' })).to.deep.equal([
      ACCEPTED,
      refused('replayed', { isSameRequest: false }),
      refused('replayed', { isSameRequest: true }),
    ]);
  });

  it('refuses a proof that was seen with the token, whatever uses there are', async () => {
    const results = await ask(
      use({ maxUses: 3, proofId: 'a' }),
      use({ maxUses: 3, proofId: 'a' }),
      use({ maxUses: 3, proofId: 'b' }),
      use({ maxUses: 3 }),
    );
    expect(results.map(({ kind }) => kind)).to.deep.equal(['accepted', 'refused', 'accepted', 'accepted']);
  });

  for (const proofId of ['00000000-0000-0000-0000-000000000000', 'A'.repeat(43)])
    it(`refuses proof ${proofId} that was seen with the token, which is not none`, async () => {
      const results = await ask(use({ maxUses: 3, proofId }), use({ maxUses: 3, proofId }));
      expect(results.map(({ kind }) => kind)).to.deep.equal(['accepted', 'refused']);
    });

  it('counts by itself what differs in how it is counted, whatever its identifier', async () => {
    const long = { keepUntilSeconds: begun.nowSeconds + 330 };
    const results = await ask(
      ...[use({ maxUses: 1 }), use({ maxUses: 1 })],
      ...[use({ maxUses: 2 }), use({ maxUses: 2 }), use({ maxUses: 2 })],
      ...[use(long), use(long)],
    );
    expect(results.map(({ kind }) => kind)).to.deep.equal([
      ...['accepted', 'refused'],
      ...['accepted', 'accepted', 'refused'],
      ...['accepted', 'refused'],
    ]);
  });

  it('counts a child whose identifier a token without a parent has', async () => {
    const results = await ask(
      use({ maxUses: 2 }),
      childOf('token', { maxUses: 2 }),
      childOf('b'),
      childOf('c'),
    );
    expect(results).to.deep.equal([ACCEPTED, ACCEPTED, ACCEPTED, refused('fanout_exceeded')]);
  });

  it('takes no attempt for another one that begins like it', async () => {
    const attempts = ['AB', 'CD'].map((end) => `${'pod-7f9c-worker'.padEnd(41, '_')}${end}`);
    const [first = '', second = ''] = attempts.map((each) => each.replace(/.$/, 'A'));
    const results = await ask(use({ attemptId: first }), use({ attemptId: second }));
    expect([first.length, results.map(({ kind }) => kind)]).to.deep.equal([43, ['accepted', 'refused']]);
  });

  it('does not know tokens from before it began, or from just after', async () => {
    const results = await ask(
      use({ issuedAtSeconds: begun.nowSeconds - 1 }),
      use({ issuedAtSeconds: begun.nowSeconds + 30 }),
      use({ issuedAtSeconds: begun.nowSeconds + 60 }),
    );
    expect(results).to.deep.equal([refused('replay_unknown'), refused('replay_unknown'), ACCEPTED]);
  });

  it('does not know tokens that it would have forgotten', async () => {
    const ended = begun.nowSeconds - 1;
    const results = await ask(
      use({ keepUntilSeconds: ended }),
      use({ parent: { key: 'parent', maxChildren: 2, keepUntilSeconds: ended } }),
    );
    expect(results).to.deep.equal([refused('replay_unknown'), refused('replay_unknown')]);
  });

  it('counts the children of one parent, each once', async () => {
    const results = await ask(
      childOf('a', { maxUses: 2 }),
      childOf('a', { maxUses: 2 }),
      childOf('b'),
      childOf('c'),
      childOf('a', { maxUses: 2 }),
      use({ tokenId: 'c' }),
    );
    expect(results).to.deep.equal([
      ACCEPTED,
      ACCEPTED,
      ACCEPTED,
      refused('fanout_exceeded'),
      refused('replayed', { isSameRequest: true }),
      ACCEPTED,
    ]);
  });

  it('counts calls of a rule in its period, refused ones not', async () => {
    const rateLimit = { key: 'rule', delegations: 2, periodSeconds: PERIOD_SECONDS };
    const limited = (tokenId: string): Consumption => use({ tokenId, rateLimit });
    const results = await ask(limited('a'), limited('a'), limited('b'), limited('c'), use({ tokenId: 'c' }));
    expect(results).to.deep.equal([
      ACCEPTED,
      refused('replayed', { isSameRequest: true }),
      ACCEPTED,
      refused('rate_limited', { retryAfterSeconds: PERIOD_SECONDS }),
      ACCEPTED,
    ]);
  });

  it('takes texts of any length and any characters', async () => {
    const long = `${'\0é€\u{1F600}{}\n'.repeat(5000)}`;
    const rule = { key: long, delegations: 9, periodSeconds: PERIOD_SECONDS };
    const parent = { key: long, maxChildren: 9, keepUntilSeconds: begun.nowSeconds + 300 };
    const odd = use({
      tokenId: long,
      attemptId: long,
      fingerprint: long,
      proofId: long,
      parent,
      rateLimit: rule,
    });
    expect(await ask(odd, { ...odd, attemptId: `${long}.` })).to.deep.equal([
      ACCEPTED,
      refused('replayed', { isSameRequest: true }),
    ]);
  });

  it(`answers ${sequences} sequences of uses as the model does`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 40 }), async (steps) => {
        const { store, nowSeconds, close } = await open();
        const model = new ReplayModel(nowSeconds);
        try {
          for (const step of steps) {
            const each = stepUse(step, nowSeconds);
            expect(withoutElapsed(await store.consume(each))).to.deep.equal(model.consume(each));
          }
        } finally {
          close();
        }
      }),
      { numRuns: sequences },
    );
  });
}

/** Some have one identifier, and differ in something else that names them. */
const TOKENS = [
  { presenter: 'x', tokenId: 'a', maxUses: 1, keptFor: 270, parent: undefined },
  { presenter: 'y', tokenId: 'a', maxUses: 1, keptFor: 270, parent: undefined },
  { presenter: 'x', tokenId: 'a', maxUses: 3, keptFor: 270, parent: undefined },
  { presenter: 'x', tokenId: 'a', maxUses: 3, keptFor: 400, parent: undefined },
  { presenter: 'x', tokenId: 'a', maxUses: 3, keptFor: 270, parent: 'one' },
  { presenter: 'x', tokenId: 'b', maxUses: 2, keptFor: 270, parent: 'one' },
  { presenter: 'y', tokenId: 'c', maxUses: 4, keptFor: 270, parent: 'one' },
  { presenter: 'y', tokenId: 'd', maxUses: 2, keptFor: 270, parent: 'two' },
  { presenter: 'y', tokenId: 'd', maxUses: 2, keptFor: -1, parent: 'two' },
] as const;
const STEP = fc.record({
  token: fc.constantFrom(...TOKENS),
  attempt: fc.nat(3),
  fingerprint: fc.constantFrom('x', 'y'),
  proofId: fc.constantFrom(undefined, undefined, 'p', 'q'),
  maxChildren: fc.integer({ min: 1, max: 3 }),
  calls: fc.constantFrom(undefined, undefined, undefined, 0, 2, 6),
  issuedAfter: fc.constantFrom(60, 60, 60, 100, 20, -100),
});
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

function stepUse(step: Step, nowSeconds: number): Consumption {
  const { fingerprint, proofId, calls } = step;
  const { presenter, tokenId, maxUses, keptFor, parent } = step.token;
  return {
    ...useOf(nowSeconds, { presenter, tokenId, fingerprint, proofId, maxUses }),
    attemptId: `${tokenId}-${step.attempt}`,
    issuedAtSeconds: nowSeconds + step.issuedAfter,
    keepUntilSeconds: nowSeconds + keptFor,
    parent:
      parent === undefined
        ? undefined
        : { key: parent, maxChildren: step.maxChildren, keepUntilSeconds: nowSeconds + 3690 },
    rateLimit:
      calls === undefined ? undefined : { key: 'rule', delegations: calls, periodSeconds: PERIOD_SECONDS },
  };
}

/** A real clock goes on while a test runs: the rest of a period, rounded up to minutes. */
function withoutElapsed(result: ConsumptionResult): ConsumptionResult {
  if (result.kind === 'accepted' || result.retryAfterSeconds === undefined) return result;
  return { ...result, retryAfterSeconds: Math.ceil(result.retryAfterSeconds / 60) * 60 };
}
