import { expect } from 'chai';
import { ReferenceClock } from '../../../src/kube/clock.ts';
import { ManualClock, T0 } from '../../support/manual-clock.ts';

describe('ReferenceClock', () => {
  let machine: ManualClock;
  let clock: ReferenceClock;
  beforeEach(() => {
    machine = new ManualClock();
    clock = new ReferenceClock(machine);
  });

  it('is that of the machine until they differ by more than 30 s, then that of the API server', () => {
    const seen = [0, 30_000, 30_001, -30_001].map((aheadMs) => {
      clock.observeServerDate(T0 + aheadMs);
      return [clock.isTrusted, clock.nowMs() - T0];
    });
    expect(seen).to.deep.equal([
      [true, 0],
      [true, 0],
      [false, 30_001],
      [false, -30_001],
    ]);
  });

  it('knows no instant that is surely past while they differ', () => {
    expect(clock.surelyPastMs()).to.equal(T0);
    clock.observeServerDate(T0 + 8 * 86_400_000);
    expect(clock.surelyPastMs()).to.equal(Number.NEGATIVE_INFINITY);
    clock.observeServerDate(T0);
    machine.stepWall(-60_000);
    expect(clock.surelyPastMs()).to.equal(Number.NEGATIVE_INFINITY);
    machine.stepWall(60_000);
    expect(clock.surelyPastMs()).to.equal(T0);
  });
});
