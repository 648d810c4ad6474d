/** Values that are loaded again. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Refreshed } from '../../../src/kube/refreshed.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('Refreshed', () => {
  const make = (...loads: readonly (() => Promise<number>)[]) => {
    const clock = new ManualClock();
    let count = 0;
    const value = new Refreshed(() => (loads[count++] ?? (async () => count))(), clock);
    return { clock, value, loads: () => count };
  };

  it('loads once for callers at the same time', async () => {
    const { value, loads } = make();
    expect([await Promise.all([value.get(), value.get(), value.get()]), loads()]).to.deep.equal([
      [1, 1, 1],
      1,
    ]);
  });

  it('loads again after a minute, not before', async () => {
    const { value, clock } = make();
    const values = [await value.get()];
    clock.freeze(59_999);
    values.push(await value.get());
    clock.freeze(1);
    values.push(await value.get());
    expect(values).to.deep.equal([1, 1, 2]);
  });

  it('loads again at once when told', async () => {
    const { value } = make();
    await value.get();
    value.invalidate();
    expect(await value.get()).to.equal(2);
  });

  it('gives the last value while loading fails, and tries again each time', async () => {
    const fail = async () => {
      throw new Error('no');
    };
    const { value } = make(
      async () => 7,
      fail,
      async () => 8,
    );
    const values = [await value.get()];
    value.invalidate();
    values.push(await value.get(), await value.get());
    expect(values).to.deep.equal([7, 7, 8]);
  });

  it('throws while nothing was ever loaded, and tries again', async () => {
    const failure = new Error('no');
    const { value } = make(
      () => Promise.reject(failure),
      async () => 3,
    );
    expect(await value.get().catch((error: unknown) => error)).to.equal(failure);
    expect(await value.get()).to.equal(3);
  });
});
