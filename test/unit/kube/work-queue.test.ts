/** The work queue: order, delays, back-off and shutdown; and that it agrees with a naive model of itself. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { Key } from '../../../src/kube/object.ts';
import type { QueueGauges, QueueObserver } from '../../../src/kube/queue-observer.ts';
import type { Priority } from '../../../src/kube/ready-keys.ts';
import type { WorkQueueOptions } from '../../../src/kube/work-queue.ts';
import { WorkQueue } from '../../../src/kube/work-queue.ts';
import { ManualClock, settle, T0 } from '../../support/manual-clock.ts';
import { QueueModel } from '../../support/queue-model.ts';

const HOUR = 3_600_000;

function newQueue(options: WorkQueueOptions = {}): {
  readonly queue: WorkQueue;
  readonly clock: ManualClock;
} {
  const clock = new ManualClock();
  return { clock, queue: new WorkQueue({ clock, timers: clock, random: () => 0.5, ...options }) };
}

/** Takes and finishes everything that is ready, in order. */
async function takeAll(queue: WorkQueue): Promise<readonly Key[]> {
  const keys: Key[] = [];
  while (queue.gauges().depth > 0) {
    const key = (await queue.get()) ?? '';
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('WorkQueue', () => {
  it('hands out a key once however often it was added', async () => {
    const { queue } = newQueue();
    for (const key of ['a/x', 'a/x', 'a/y', 'a/x']) queue.add(key);
    expect(await takeAll(queue)).to.deep.equal(['a/x', 'a/y']);
  });

  it('gives a key to a worker that was waiting already', async () => {
    const { queue } = newQueue();
    const waiting = [queue.get(), queue.get()];
    queue.add('a/x');
    queue.add('a/y');
    expect((await Promise.all(waiting)).toSorted()).to.deep.equal(['a/x', 'a/y']);
  });

  it('keeps a key that is added while in flight until its run is done', async () => {
    const { queue } = newQueue();
    queue.add('a/x');
    await queue.get();
    queue.add('a/x');
    queue.add('a/x');
    expect(queue.gauges().depth).to.equal(0);
    queue.done('a/x');
    expect(await takeAll(queue)).to.deep.equal(['a/x']);
  });

  it('hands out urgent before normal before background', async () => {
    const { queue } = newQueue();
    queue.add('a/resync', 'background');
    queue.add('a/change', 'normal');
    queue.add('a/kill', 'urgent');
    expect(await takeAll(queue)).to.deep.equal(['a/kill', 'a/change', 'a/resync']);
  });

  it('keeps the best class a waiting key was added with', async () => {
    const { queue } = newQueue();
    queue.add('a/x', 'normal');
    queue.add('a/y', 'background');
    queue.add('a/y', 'urgent');
    queue.add('a/y', 'background');
    expect(await takeAll(queue)).to.deep.equal(['a/y', 'a/x']);
  });

  it('lets namespaces take turns, however many keys one of them has', async () => {
    const { queue } = newQueue();
    for (const key of ['noisy/1', 'noisy/2', 'noisy/3', 'quiet/1', 'cluster-scoped']) queue.add(key);
    expect(await takeAll(queue)).to.deep.equal([
      'noisy/1',
      'quiet/1',
      'cluster-scoped',
      'noisy/2',
      'noisy/3',
    ]);
  });

  it('hands out the longest overdue key of a namespace first', async () => {
    const { queue } = newQueue();
    queue.add('a/now');
    queue.addAt('a/overdue', T0 - HOUR);
    queue.addAt('a/long-overdue', T0 - 2 * HOUR);
    expect(await takeAll(queue)).to.deep.equal(['a/long-overdue', 'a/overdue', 'a/now']);
  });

  it('returns undefined to every worker once it is shut down', async () => {
    const { queue } = newQueue();
    const waiting = queue.get();
    queue.addAfter('a/x', 10);
    expect(await queue.shutDownWithDrain(1000)).to.equal(0);
    queue.add('a/y');
    expect([await waiting, await queue.get()]).to.deep.equal([undefined, undefined]);
  });

  it('behaves like a naive model of itself', async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 100, size: 'max' }), followsModel), {
      numRuns: 150,
    });
  });
});

describe('WorkQueue.addAfter', () => {
  it('makes a key ready at the end of the delay, not before', async () => {
    const { queue, clock } = newQueue();
    queue.addAfter('a/x', 5000);
    await clock.advance(4999);
    expect(queue.gauges().depth).to.equal(0);
    await clock.advance(1);
    expect(await takeAll(queue)).to.deep.equal(['a/x']);
  });

  it('keeps the delay that ends first, in the better class', async () => {
    const { queue, clock } = newQueue();
    queue.addAfter('a/x', 5000, 'background');
    queue.addAfter('a/x', 60_000, 'urgent');
    queue.add('a/y');
    await clock.advance(5000);
    expect(await takeAll(queue)).to.deep.equal(['a/x', 'a/y']);
    await clock.advance(60_000);
    expect(queue.gauges().depth).to.equal(0);
  });

  it('uses one timer for any number of keys', () => {
    const { queue, clock } = newQueue();
    for (let i = 0; i < 100; i++) queue.addAfter(`a/${i}`, 100_000 - i);
    for (let i = 0; i < 100; i++) queue.addAt(`a/${i}`, T0 + 100_000 + i);
    expect(clock.timerCount).to.equal(1);
  });
});

describe('WorkQueue.addAt', () => {
  it('makes a key ready at the instant, not before', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a/x', T0 + 8 * HOUR);
    await clock.advance(8 * HOUR - 1);
    expect(queue.gauges().depth).to.equal(0);
    await clock.advance(1);
    expect(queue.gauges().depth).to.equal(1);
  });

  for (const [title, secondMs] of [
    ['sooner', HOUR],
    ['later', 3 * HOUR],
  ] as const) {
    it(`replaces an earlier call by one that is ${title}`, async () => {
      const { queue, clock } = newQueue();
      queue.addAt('a/x', T0 + 2 * HOUR);
      queue.addAt('a/x', T0 + secondMs);
      await clock.advance(secondMs - 1);
      expect(await takeAll(queue)).to.deep.equal([]);
      await clock.advance(5 * HOUR);
      expect(await takeAll(queue)).to.deep.equal(['a/x']);
    });
  }

  it('is taken back by cancelAt', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a/x', T0 + HOUR);
    queue.cancelAt('a/x');
    await clock.advance(2 * HOUR);
    expect(queue.gauges().depth).to.equal(0);
  });

  it('notices within 30 seconds that the machine was suspended or the clock set forward', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a/x', T0 + 8 * HOUR);
    clock.stepWall(9 * HOUR);
    await clock.advance(30_000);
    expect(await takeAll(queue)).to.deep.equal(['a/x']);
  });

  it('hands out within 30 seconds what was to wait by a clock that was set back', async () => {
    const { queue, clock } = newQueue();
    clock.stepWall(9 * HOUR);
    queue.addAt('a/x', T0 + 10 * HOUR);
    clock.stepWall(-9 * HOUR);
    await clock.advance(30_000);
    expect(await takeAll(queue)).to.deep.equal(['a/x']);
  });

  it('hands it out once, and no more than once in 30 seconds however often the clock goes to and fro', async () => {
    const { queue, clock } = newQueue();
    let runs = 0;
    queue.addAt('a/x', T0 + 10 * HOUR);
    for (let second = 0; second < 300; second++) {
      clock.stepWall(second % 2 === 0 ? HOUR : -HOUR);
      queue.addAt('a/y', clock.nowMs() + 10 * HOUR);
      await clock.advance(1000);
      for (const key of await takeAll(queue)) {
        if (key === 'a/x') runs++;
        queue.addAt(key, clock.nowMs() + 10 * HOUR);
      }
    }
    expect(runs).to.be.within(9, 10);
    await clock.advance(60_000);
    await takeAll(queue);
    queue.addAt('a/x', clock.nowMs() + HOUR);
    queue.cancelAt('a/y');
    await clock.advance(HOUR - 1);
    expect(queue.gauges().depth).to.equal(0);
  });

  it('waits on when the clock was set back by no more than 30 seconds', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a/x', T0 + HOUR);
    clock.stepWall(-30_000);
    await clock.advance(HOUR + 29_999);
    expect(queue.gauges().depth).to.equal(0);
    await clock.advance(1);
    expect(queue.gauges().depth).to.equal(1);
  });
});

describe('WorkQueue.retry', () => {
  it('doubles the delay up to the cap, until the key is forgotten', () => {
    const { queue } = newQueue({ backOff: { baseMs: 100, factor: 2, capMs: 500 } });
    const delays = [1, 2, 3, 4].map(() => queue.retry('a/x'));
    queue.forget('a/x');
    expect([...delays, queue.retry('a/x')]).to.deep.equal([100, 200, 400, 500, 100]);
  });

  for (const [random, delayMs] of [
    [0, 50],
    [0.5, 100],
    [0.75, 125],
  ] as const) {
    it(`spreads the delay by half in either direction (random ${random})`, () => {
      expect(newQueue({ random: () => random }).queue.retry('a/x')).to.equal(delayMs);
    });
  }

  it('stays at the cap after thousands of failures', () => {
    const { queue } = newQueue();
    for (let i = 0; i < 5000; i++) queue.retry('a/x');
    expect(queue.retry('a/x')).to.equal(300_000);
  });

  it('does not undercut the delay the server asked for', async () => {
    const { queue, clock } = newQueue();
    expect(queue.retry('a/x', 7000)).to.equal(7000);
    await clock.advance(6999);
    expect(queue.gauges().depth).to.equal(0);
    await clock.advance(1);
    expect(queue.gauges().depth).to.equal(1);
  });

  it('keeps the class of the run that failed', async () => {
    const { queue, clock } = newQueue();
    queue.add('a/kill', 'urgent');
    await queue.get();
    queue.retry('a/kill');
    queue.done('a/kill');
    queue.add('a/change');
    await clock.advance(100);
    expect(await takeAll(queue)).to.deep.equal(['a/kill', 'a/change']);
  });
});

describe('WorkQueue.remove', () => {
  it('drops a key wherever it is', async () => {
    const { queue, clock } = newQueue();
    queue.add('a/running');
    await queue.get();
    for (const key of ['a/ready', 'a/running']) queue.add(key);
    queue.addAfter('a/delayed', 10);
    queue.addAt('a/scheduled', T0 + 10);
    for (const key of ['a/ready', 'a/running', 'a/delayed', 'a/scheduled']) queue.remove(key);
    queue.done('a/running');
    await clock.advance(60_000);
    expect(queue.gauges()).to.deep.equal({ depth: 0, unfinishedSeconds: 0, longestRunningSeconds: 0 });
    expect(clock.timerCount).to.equal(0);
  });
});

describe('WorkQueue.shutDownWithDrain', () => {
  it('waits for the keys in flight and drops those that wait', async () => {
    const { queue } = newQueue();
    queue.add('a/x');
    queue.add('a/y');
    await queue.get();
    const drained = queue.shutDownWithDrain(30_000);
    queue.done('a/x');
    expect([await drained, await queue.get()]).to.deep.equal([0, undefined]);
  });

  it('gives up at the deadline and says how many are left', async () => {
    const { queue, clock } = newQueue();
    queue.add('a/x');
    await queue.get();
    const drained = queue.shutDownWithDrain(30_000);
    await clock.advance(30_000);
    expect(await drained).to.equal(1);
  });
});

describe('QueueObserver', () => {
  it('sees what client-go counts', async () => {
    const seen: string[] = [];
    let gauges: () => QueueGauges = () => expect.fail('not attached');
    const observer: QueueObserver = {
      attach: (read) => {
        gauges = read;
      },
      added: () => seen.push('added'),
      delayed: () => seen.push('delayed'),
      started: (seconds) => seen.push(`started after ${seconds}`),
      finished: (seconds) => seen.push(`finished after ${seconds}`),
    };
    const { queue, clock } = newQueue({ observer });
    queue.add('a/x');
    queue.add('a/x');
    clock.freeze(2000);
    await queue.get();
    queue.add('a/x');
    queue.add('a/x');
    queue.retry('a/y');
    clock.freeze(3000);
    queue.add('a/z');
    expect(gauges()).to.deep.equal({ depth: 1, unfinishedSeconds: 3, longestRunningSeconds: 3 });
    queue.done('a/x');
    expect(seen).to.deep.equal(['added', 'started after 2', 'added', 'delayed', 'added', 'finished after 3']);
  });
});

type Command =
  | { readonly kind: 'get' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'done' | 'retry' | 'forget' | 'remove' | 'cancelAt'; readonly key: Key }
  | { readonly kind: 'add'; readonly key: Key; readonly priority: Priority }
  | {
      readonly kind: 'addAfter' | 'addAt';
      readonly key: Key;
      readonly ms: number;
      readonly priority: Priority;
    };

const key = fc.constantFrom('a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c/1', 'c/2');
const priority = fc.constantFrom<Priority>('urgent', 'normal', 'background');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), key, priority }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('addAfter' as const, 'addAt' as const),
      key,
      ms: fc.integer({ min: -200, max: 300 }),
      priority,
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'get' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('done', 'done', 'retry', 'forget', 'remove', 'cancelAt'),
      key,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(200) }) },
);

async function followsModel(commands: readonly Command[]): Promise<void> {
  const { queue, clock } = newQueue({ backOff: { baseMs: 100, factor: 2, capMs: 1000 } });
  const model = new QueueModel();
  for (const given of commands) {
    await applyBoth({ queue, clock, model }, given);
    expect(queue.gauges().depth).to.equal(model.ready.length);
    if (model.delays.length + model.appointments.length > 0) expect(clock.timerCount).to.equal(1);
  }
  const rest = model.ready.map(() => model.get());
  expect(await Promise.all(rest.map(() => queue.get()))).to.deep.equal(rest);
}

interface Pair {
  readonly queue: WorkQueue;
  readonly clock: ManualClock;
  readonly model: QueueModel;
}

async function applyBoth({ queue, clock, model }: Pair, given: Command): Promise<void> {
  switch (given.kind) {
    case 'get':
      if (model.ready.length > 0) expect(await queue.get()).to.equal(model.get());
      return;
    case 'advance':
      await clock.advance(given.ms);
      await settle();
      return model.advance(given.ms);
    case 'add':
      queue.add(given.key, given.priority);
      return model.add(given.key, given.priority);
    case 'addAfter':
      queue.addAfter(given.key, given.ms, given.priority);
      return model.addAfter(given.key, given.ms, given.priority);
    case 'addAt':
      queue.addAt(given.key, clock.nowMs() + given.ms, given.priority);
      return model.addAt(given.key, model.nowMs + given.ms, given.priority);
    default:
      queue[given.kind](given.key);
      return model[given.kind](given.key);
  }
}
