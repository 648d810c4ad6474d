import { expect } from 'chai';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../../src/domain/certificate/duration.ts';

const accepted: Record<string, number> = {
  '24h': 86_400_000,
  '90m': 5_400_000,
  '1h30m': 5_400_000,
  '5ms': 5,
  '5m': 300_000,
  '1h2m3s4ms': 3_723_004,
  '30m1h': 5_400_000,
  '1h1h': 7_200_000,
  '0s': 0,
  '99999h': 359_996_400_000,
};

const rejected: readonly string[] = [
  '',
  '24',
  'h',
  '1d',
  '1.5h',
  '-1h',
  '+1h',
  ' 1h',
  '1h ',
  '1h\n',
  '1H',
  '100000h',
  '1h1m1s1ms1h',
  '٣h',
];

describe('parseDuration', () => {
  for (const [text, durationMs] of Object.entries(accepted)) {
    it(`accepts ${text}`, () => expect(parseDuration(text)).to.equal(durationMs));
  }

  for (const text of rejected) {
    it(`rejects ${JSON.stringify(text)}`, () => expect(parseDuration(text)).to.equal(undefined));
  }
});

describe('formatDuration', () => {
  const cases: Record<string, number> = {
    '0s': 0,
    '1h30m': 5_400_000,
    '24h': 86_400_000,
    '1h2m3s4ms': 3_723_004,
    '999ms': 999,
  };
  for (const [text, durationMs] of Object.entries(cases)) {
    it(`writes ${durationMs} as ${text}`, () => expect(formatDuration(durationMs)).to.equal(text));
  }

  it('writes what parseDuration reads as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 * 3_600_000 - 1 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).to.equal(durationMs);
      }),
    );
  });

  for (const wrong of [-1, 0.5, Number.NaN, 100_000 * 3_600_000]) {
    it(`throws on ${wrong}`, () => expect(() => formatDuration(wrong)).to.throw(RangeError));
  }
});
