import { expect } from 'chai';
import fc from 'fast-check';
import {
  effectiveRenewBeforeMs,
  type RenewalInput,
  renewalTimeMs,
  spreadFraction,
} from '../../../../src/domain/certificate/renewal.ts';

const T0 = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const base: RenewalInput = {
  identityUid: '0b5f3a52-5a7e-4a4e-9d64-0c1c0b6d6f11',
  serialHex: '91aa04',
  notBeforeMs: T0 - 2 * MINUTE,
  notAfterMs: T0 + 24 * HOUR,
  durationMs: 24 * HOUR,
  renewBeforeMs: undefined,
  lastIssuedAtMs: undefined,
};

const inputs: fc.Arbitrary<RenewalInput> = fc
  .record({
    identityUid: fc.uuid(),
    serialHex: fc.stringMatching(/^[0-9a-f]{32}$/),
    lifeSeconds: fc.integer({ min: 300, max: 168 * 3600 }),
    durationMs: fc.integer({ min: 10 * MINUTE, max: 168 * HOUR }),
    renewBeforeMs: fc.option(fc.integer({ min: 2 * MINUTE, max: 168 * HOUR }), { nil: undefined }),
  })
  .map(({ lifeSeconds, ...rest }) => ({
    ...rest,
    notBeforeMs: T0,
    notAfterMs: T0 + lifeSeconds * 1000,
    lastIssuedAtMs: undefined,
  }));

describe('effectiveRenewBeforeMs', () => {
  const cases: Record<string, { readonly input: Partial<RenewalInput>; readonly expect: number }> = {
    'is a third of the duration by default': { input: {}, expect: 8 * HOUR },
    'is what the spec says': { input: { renewBeforeMs: 2 * HOUR }, expect: 2 * HOUR },
    'is at most two thirds of the issued life': {
      input: { renewBeforeMs: 20 * HOUR, notBeforeMs: T0, notAfterMs: T0 + 3 * HOUR },
      expect: 2 * HOUR,
    },
    'is nothing for a leaf that ends before it begins': { input: { notAfterMs: T0 - HOUR }, expect: 0 },
  };
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => expect(effectiveRenewBeforeMs({ ...base, ...given.input })).to.equal(given.expect));
  }
});

describe('renewalTimeMs', () => {
  it('is the same for the same leaf, whoever computes it', () => {
    expect(renewalTimeMs(base)).to.equal(Date.UTC(2026, 0, 1, 15, 12, 40));
  });

  it('is a minute after the last issuance when that is later', () => {
    const lastIssuedAtMs = T0 + 23 * HOUR + 1;
    expect(renewalTimeMs({ ...base, lastIssuedAtMs })).to.equal(T0 + 23 * HOUR + MINUTE + 1000);
  });

  it('is not touched by an issuance long ago', () => {
    expect(renewalTimeMs({ ...base, lastIssuedAtMs: T0 })).to.equal(renewalTimeMs(base));
  });

  it('takes off 0 to 10 % of what lies before renewBefore, in whole seconds', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const renewBeforeMs = effectiveRenewBeforeMs(input);
        const jitterMs = input.notAfterMs - renewBeforeMs - renewalTimeMs(input);
        const rangeMs = (input.notAfterMs - input.notBeforeMs - renewBeforeMs) * 0.1;
        expect(jitterMs).to.be.within(0, rangeMs + 1000);
        expect(renewalTimeMs(input) % 1000).to.equal(0);
      }),
    );
  });

  it('always lies after notBefore and before notAfter', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(renewalTimeMs(input)).to.be.greaterThan(input.notBeforeMs).and.lessThan(input.notAfterMs);
      }),
    );
  });

  it('spreads 10,000 identities made together over the whole range', () => {
    const counts = Array<number>(10).fill(0);
    const rangeMs = (24 * HOUR + 2 * MINUTE - 8 * HOUR) * 0.1;
    for (let number = 0; number < 10_000; number++) {
      const jitterMs = T0 + 16 * HOUR - renewalTimeMs({ ...base, identityUid: `uid-${number}` });
      const bin = Math.min(9, Math.floor((jitterMs / rangeMs) * 10));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    // 1000 each with a standard deviation of 30: five of them on both sides.
    for (const count of counts) expect(count).to.be.within(850, 1150);
  });
});

describe('spreadFraction', () => {
  it('tells words apart whose concatenation is the same', () => {
    expect(spreadFraction('ab', 'c')).to.not.equal(spreadFraction('a', 'bc'));
  });

  it('is 0 or more and below 1', () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        expect(spreadFraction(word)).to.be.within(0, 1 - 2 ** -32);
      }),
    );
  });
});
