/** Delays of a reflector. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Backoff, between, DEFAULT_REFLECTOR_TIMING } from '../../../src/kube/reflector-timing.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('Backoff', () => {
  it('doubles from 0.8 s to 30 s', () => {
    const backoff = new Backoff(DEFAULT_REFLECTOR_TIMING, new ManualClock(), () => 0);
    expect(Array.from({ length: 8 }, () => backoff.next())).to.deep.equal([
      800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('adds up to as much at random', () => {
    const backoff = new Backoff(DEFAULT_REFLECTOR_TIMING, new ManualClock(), () => 0.5);
    expect([backoff.next(), backoff.next()]).to.deep.equal([1200, 2400]);
  });

  it('starts again after two minutes without a fault, not before', () => {
    const clock = new ManualClock();
    const backoff = new Backoff(DEFAULT_REFLECTOR_TIMING, clock, () => 0);
    const delays = [backoff.next()];
    clock.freeze(119_999);
    delays.push(backoff.next());
    clock.freeze(120_000);
    delays.push(backoff.next());
    expect(delays).to.deep.equal([800, 1600, 800]);
  });
});

describe('between', () => {
  it('gives both ends and the middle', () => {
    expect([0, 0.5, 1].map((random) => between([300, 600], random))).to.deep.equal([300, 450, 600]);
  });
});
