import { expect } from 'chai';
import { recentRounds, repairPauseUntilMs } from '../../../../src/domain/identity/repair-loop.ts';

const T0 = Date.UTC(2026, 0, 1);
const rounds = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => T0 + at);

describe('repairPauseUntilMs', () => {
  it('lets six rounds pass at once', () => {
    expect([0, 1, 5].map((count) => repairPauseUntilMs(rounds(count), T0 + 10))).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('makes the seventh wait 30 s, and each after it twice as long, at most 10 min', () => {
    const pauses = [6, 7, 8, 11, 20].map(
      (count) => (repairPauseUntilMs(rounds(count), T0 + 20) ?? 0) - T0 - count + 1,
    );
    expect(pauses).to.deep.equal([30_000, 60_000, 120_000, 600_000, 600_000]);
  });

  it('ends the pause when it is over', () => {
    expect(repairPauseUntilMs(rounds(6), T0 + 5 + 30_000)).to.equal(undefined);
  });

  it('forgets what is an hour old', () => {
    expect(repairPauseUntilMs(rounds(6), T0 + 3_600_001)).to.equal(undefined);
  });
});

describe('recentRounds', () => {
  it('drops rounds of another hour, and of a clock that was ahead', () => {
    expect(recentRounds([T0 - 3_600_000, T0 - 1, T0 + 1], T0)).to.deep.equal([T0 - 1]);
  });
});
