import { expect } from 'chai';
import fc from 'fast-check';
import { planRetry, type RetryInput, type RetryPlan } from '../../../../src/domain/certificate/retry.ts';

const T0 = Date.UTC(2026, 0, 1);
const base: RetryInput = {
  failure: { kind: 'transient', attempts: 1, generation: 7 },
  generation: 7,
  failedAtMs: T0,
  notAfterMs: undefined,
  random: 0.5,
};

function retryAfter(delayMs: number): RetryPlan {
  return { kind: 'retry', atMs: T0 + delayMs };
}

const cases: Record<string, { readonly input: Partial<RetryInput>; readonly expect: RetryPlan }> = {
  'waits 5 s after the first failure': { input: {}, expect: retryAfter(5_000) },
  'doubles with each failure': {
    input: { failure: { kind: 'transient', attempts: 4, generation: 7 } },
    expect: retryAfter(40_000),
  },
  'takes off up to half': { input: { random: 0 }, expect: retryAfter(2_500) },
  'adds up to half': { input: { random: 0.999 }, expect: retryAfter(7_495) },
  'never waits more than 5 min': {
    input: { failure: { kind: 'transient', attempts: 2_000, generation: 7 }, random: 0.999 },
    expect: retryAfter(300_000),
  },
  'never waits beyond half of the time left': {
    input: { failure: { kind: 'transient', attempts: 9, generation: 7 }, notAfterMs: T0 + 60_000 },
    expect: retryAfter(30_000),
  },
  'waits a second at least, however near the end is': {
    input: { notAfterMs: T0 + 100 },
    expect: retryAfter(1_000),
  },
  'goes on as usual after the end': { input: { notAfterMs: T0 - 1 }, expect: retryAfter(5_000) },
  'waits for another spec when denied': {
    input: { failure: { kind: 'denied', attempts: 1, generation: 7 } },
    expect: { kind: 'wait' },
  },
  'tries at once when a denied spec has changed': {
    input: { failure: { kind: 'denied', attempts: 3, generation: 6 } },
    expect: { kind: 'now' },
  },
  'tries at once when the spec has changed after a passing failure': {
    input: { failure: { kind: 'transient', attempts: 9, generation: 6 } },
    expect: { kind: 'now' },
  },
};

describe('planRetry', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => expect(planRetry({ ...base, ...given.input })).to.deep.equal(given.expect));
  }

  it('always lies between one second and five minutes ahead', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.integer({ min: T0 - 1e9, max: T0 + 1e9 }), { nil: undefined }),
        (attempts, random, notAfterMs) => {
          const failure = { kind: 'transient', attempts, generation: 7 } as const;
          const plan = planRetry({ ...base, failure, random, notAfterMs });
          expect(plan.kind === 'retry' && plan.atMs - T0).to.be.within(1_000, 300_000);
        },
      ),
    );
  });
});
