/** The demo's count of calls: one that cannot say no shows nothing. */

import { once } from 'node:events';
import { expect } from 'chai';
import { Mismatch } from '../../../../hack/demo/mismatch.ts';
import { Repeated } from '../../../../hack/demo/repeated.ts';
import { Talk } from '../../../../hack/demo/talk.ts';

/** What a promise rejects with; a success is an error too. */
async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
}

describe('Talk', () => {
  it('goes on for the rounds that are wanted, and counts all calls of all rounds', async () => {
    let rounds = 0;
    const talk = new Talk(2, async () => rounds++);
    const calls = await talk.finish(3);
    expect(rounds).to.be.at.least(3);
    expect(calls).to.equal(2 * rounds);
  });

  it('goes on after a call that fails, and says in the end how many did and how the first one did', async () => {
    let rounds = 0;
    const talk = new Talk(2, async () => {
      rounds++;
      if (rounds === 2 || rounds === 3) throw new Error(`round ${rounds}`);
    });
    const error = await caught(talk.finish(4));
    expect(error).to.be.instanceOf(Mismatch);
    expect(error).to.include({
      expected: 'calls failed: 0',
      seen: `2 of ${2 * rounds}; the first: round 2`,
    });
  });

  it('makes no call any more once it has ended', async () => {
    let rounds = 0;
    const talk = new Talk(1, async () => rounds++);
    const calls = await talk.finish(1);
    await talk.stop();
    expect(rounds).to.equal(calls);
  });
});

describe('Repeated', () => {
  it('ends with the run under way', async () => {
    const events = new EventTarget();
    let ended = 0;
    const repeated = new Repeated(0, async () => {
      await once(events, 'go');
      ended++;
    });
    const stopped = repeated.stop();
    expect(ended).to.equal(0);
    events.dispatchEvent(new Event('go'));
    await stopped;
    expect(ended).to.equal(1);
  });

  it('says in the end what a run threw, and makes no other', async () => {
    let runs = 0;
    const repeated = new Repeated(0, async () => {
      runs++;
      throw new Error('lost');
    });
    expect(await caught(repeated.stop())).to.have.property('message', 'lost');
    expect(await caught(repeated.stop())).to.have.property('message', 'lost');
    expect(runs).to.equal(1);
  });
});
