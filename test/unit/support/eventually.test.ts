/** The wait of the tests. */

import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => (error as Error).message,
  );
}

describe('eventually', () => {
  it('returns the first truthy answer', async () => {
    const answers = [undefined, 0, '', false, null, 'now', 'later'];
    expect(await eventually('an answer', () => answers.shift() as string)).to.equal('now');
    expect(answers).to.deep.equal(['later']);
  });

  it('takes a throw as "not yet"', async () => {
    let attempts = 0;
    const answer = await eventually('three attempts', async () => {
      attempts++;
      expect(attempts).to.equal(3);
      return attempts;
    });
    expect(answer).to.equal(3);
  });

  it('fails with the last answer when the time is up', async () => {
    const waiting = eventually('a pod', () => null, { timeoutMs: 30 });
    expect(await failureOf(waiting)).to.equal('waited 0.03 s for a pod; last seen: null');
  });

  it('fails with the last throw when the time is up', async () => {
    const waiting = eventually('a pod', () => expect(1).to.equal(2), { timeoutMs: 30 });
    expect(await failureOf(waiting)).to.equal('waited 0.03 s for a pod; last seen: expected 1 to equal 2');
  });

  it('fails in time when the condition does not answer', async () => {
    const waiting = eventually('a pod', () => new Promise<boolean>(() => undefined), { timeoutMs: 30 });
    expect(await failureOf(waiting)).to.equal('waited 0.03 s for a pod; last seen: no answer');
  });
});
