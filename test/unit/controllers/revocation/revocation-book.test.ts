import { expect } from 'chai';
import { DAY, NOW, RevocationWorld } from './fixture.ts';

const ENTRY = { tokenID: 'stolen', until: NOW / 1000 + 600 };

describe('RevocationBook', () => {
  let world: RevocationWorld;
  beforeEach(async () => {
    world = await RevocationWorld.start();
  });
  afterEach(() => world.close());

  it('forgets an entry whose object is gone once it is over', () => {
    world.book.adopt([ENTRY]);
    expect([...world.book.entries()]).to.deep.equal([ENTRY]);
    world.nowMs = NOW + DAY;
    expect([...world.book.entries()]).to.deep.equal([]);
    world.nowMs = NOW;
    expect([...world.book.entries()]).to.deep.equal([]);
  });

  it('keeps one that only a clock that is days ahead calls over, and takes it over', () => {
    Object.assign(world, { isClockTrusted: false, nowMs: NOW + 8 * DAY });
    world.book.adopt([ENTRY]);
    expect([...world.book.entries()]).to.deep.equal([]);
    world.nowMs = NOW;
    expect([...world.book.entries()]).to.deep.equal([ENTRY]);
  });
});
