import { expect } from 'chai';
import { lastLeafEndsAtMs, type SigningSpan } from '../../../../src/domain/authority/last-leaf.ts';

const DAY = 86_400_000;
const MADE = Date.UTC(2026, 0, 1);
const LONGEST = 7 * DAY;
const SPAN: SigningSpan = {
  ...{ id: 'aaaaaaaaaaaaaaaa', phase: 'retiring', retiringSinceMs: MADE + 25 * DAY },
  ...{ notBeforeMs: MADE - 120_000, notAfterMs: MADE + 30 * DAY },
};
const KNOWN = MADE + 26 * DAY;

describe('lastLeafEndsAtMs', () => {
  it('believes a ledger that began before the generation did', () => {
    for (const completeSinceMs of [0, MADE])
      expect(lastLeafEndsAtMs(SPAN, { endsAtMs: KNOWN, completeSinceMs })).to.equal(KNOWN);
    expect(lastLeafEndsAtMs(SPAN, { endsAtMs: undefined, completeSinceMs: MADE })).to.equal(undefined);
  });

  it('reckons with the longest leaf that was issued before the ledger began', () => {
    const word = { endsAtMs: undefined, completeSinceMs: MADE + 10 * DAY };
    expect(lastLeafEndsAtMs(SPAN, word)).to.equal(MADE + 10 * DAY + LONGEST);
    expect(lastLeafEndsAtMs(SPAN, { ...word, endsAtMs: KNOWN })).to.equal(KNOWN);
  });

  it('reckons with none that was issued after the generation signed last, or lives longer than it', () => {
    const word = { endsAtMs: undefined, completeSinceMs: MADE + 29 * DAY };
    expect(lastLeafEndsAtMs({ ...SPAN, retiringSinceMs: MADE + 20 * DAY }, word)).to.equal(MADE + 27 * DAY);
    expect(lastLeafEndsAtMs(SPAN, word)).to.equal(MADE + 30 * DAY);
  });

  it('says nothing of one that has signed nothing', () => {
    const word = { endsAtMs: undefined, completeSinceMs: MADE + DAY };
    expect(lastLeafEndsAtMs({ ...SPAN, phase: 'prepared' }, word)).to.equal(undefined);
  });
});
