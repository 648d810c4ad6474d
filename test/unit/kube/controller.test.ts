/** The controller loop: what each outcome and each failure does to a key. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { ControllerOptions, Outcome } from '../../../src/kube/controller.ts';
import { Controller } from '../../../src/kube/controller.ts';
import type { FinishedReconcile } from '../../../src/kube/controller-observer.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { Key } from '../../../src/kube/object.ts';
import { WorkQueue } from '../../../src/kube/work-queue.ts';
import { ManualClock, settle, T0 } from '../../support/manual-clock.ts';
import type { RecordingLog } from '../../support/recording-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

const SETTLED: Outcome = { kind: 'settled' };
const HOUR = 3_600_000;

interface Bench {
  readonly controller: Controller;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
  readonly finished: readonly FinishedReconcile[];
  /** Monotonic time of each reconcile since the start of the bench. */
  readonly runsMs: readonly number[];
}

/** A controller over a manual clock, with one key `a/x` unless said otherwise. */
function bench(reconcile: ControllerOptions['reconcile'], options: Partial<ControllerOptions> = {}): Bench {
  const clock = new ManualClock();
  const log = recordingLog();
  const finished: FinishedReconcile[] = [];
  const runsMs: number[] = [];
  const startMs = clock.monotonicMs();
  const controller = new Controller({
    name: 'test',
    reconcile: (key, context) => {
      runsMs.push(clock.monotonicMs() - startMs);
      return reconcile(key, context);
    },
    listKeys: () => ['a/x'],
    queue: new WorkQueue({ clock, timers: clock, random: () => 0.5 }),
    clock,
    timers: clock,
    log,
    observer: {
      attach() {},
      reconcileStarted() {},
      reconcileFinished: (reconciled) => finished.push(reconciled),
    },
    ...options,
  });
  return { controller, clock, log, finished, runsMs };
}

/** A reconcile that throws `error` the first time and settles from then on. */
function failsOnce(error: unknown): ControllerOptions['reconcile'] {
  let failed = false;
  return async () => {
    if (failed) return SETTLED;
    failed = true;
    throw error;
  };
}

async function started(given: Bench): Promise<Bench> {
  await given.controller.start(new AbortController().signal);
  await settle();
  return given;
}

/** A promise that never settles by itself, but rejects with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

describe('Controller', () => {
  it('gives way to everything else between keys that need nothing but a look', async () => {
    const keys = Array.from({ length: 100 }, (_, at): Key => `a/${at}`);
    const clock = new ManualClock();
    const looked = bench(
      async () => {
        clock.freeze(1);
        return SETTLED;
      },
      { listKeys: () => keys, workers: 4, clock },
    );
    await looked.controller.start(new AbortController().signal);
    const between: number[] = [];
    while (looked.finished.length < keys.length) {
      await nextTurn();
      between.push(looked.finished.length);
    }
    const steps = between.map((count, at) => count - (between[at - 1] ?? 0));
    expect(Math.max(...steps)).to.be.at.most(10);
  });
});

describe('Controller.start', () => {
  it('reconciles every key there is, once the caches are in sync', async () => {
    const cache = Promise.withResolvers<void>();
    const keys: Key[] = [];
    const { controller } = bench(
      async (key) => {
        keys.push(key);
        return SETTLED;
      },
      { listKeys: () => ['a/x', 'b/y'], synced: [() => cache.promise] },
    );
    const start = controller.start(new AbortController().signal);
    controller.enqueue('a/too-early');
    await settle();
    expect(keys).to.deep.equal([]);
    cache.resolve();
    await start;
    await settle();
    expect(keys).to.deep.equal(['a/x', 'b/y']);
  });

  it('runs as many keys at once as there are workers, and a key never twice', async () => {
    const inFlight: Key[] = [];
    const { controller } = await started(
      bench(
        async (key, { signal }) => {
          inFlight.push(key);
          return untilAborted(signal);
        },
        { listKeys: () => ['a/1', 'a/2', 'a/3'], workers: 2 },
      ),
    );
    controller.enqueue('a/1', { priority: 'urgent' });
    await settle();
    expect(inFlight).to.deep.equal(['a/1', 'a/2']);
  });

  it('stops waiting for the caches when it is told to', async () => {
    const abort = new AbortController();
    const { controller, runsMs } = bench(async () => SETTLED, { synced: [() => new Promise(() => {})] });
    const start = controller.start(abort.signal);
    abort.abort();
    await start;
    expect(runsMs).to.deep.equal([]);
  });

  it('rejects when a cache cannot sync', async () => {
    const error = new Error('no such kind');
    const { controller } = bench(async () => SETTLED, { synced: [() => Promise.reject(error)] });
    const thrown = await controller.start(new AbortController().signal).catch((reason: unknown) => reason);
    expect(thrown).to.equal(error);
  });

  it('tells what runs to end when its signal is aborted', async () => {
    const abort = new AbortController();
    const { controller, finished, log } = bench(async (_, { signal }) => untilAborted(signal));
    await controller.start(abort.signal);
    await settle();
    abort.abort();
    await settle();
    expect(finished).to.deep.equal([{ result: 'requeue', failure: undefined, seconds: 0 }]);
    expect(log.texts).to.deep.equal(['debug reconcile ended by shutdown']);
  });
});

describe('Controller.enqueue', () => {
  it('runs a key after a delay', async () => {
    const given = await started(bench(async () => SETTLED));
    given.controller.enqueue('a/x', { delayMs: 500 });
    await given.clock.advance(1000);
    expect(given.runsMs).to.deep.equal([0, 500]);
  });
});

describe('Controller, outcomes', () => {
  it('leaves a settled key alone, and takes back an earlier recheck', async () => {
    const outcomes: Outcome[] = [{ kind: 'recheck', atMs: T0 + HOUR }];
    const given = await started(bench(async () => outcomes.pop() ?? SETTLED));
    given.controller.enqueue('a/x');
    await given.clock.advance(2 * HOUR);
    expect(given.runsMs).to.deep.equal([0, 0]);
    expect(given.finished.map(({ result }) => result)).to.deep.equal(['requeue_after', 'success']);
  });

  it('comes back at the instant of a recheck', async () => {
    const outcomes: Outcome[] = [{ kind: 'recheck', atMs: T0 + HOUR }];
    const given = await started(bench(async () => outcomes.pop() ?? SETTLED));
    await given.clock.advance(2 * HOUR);
    expect(given.runsMs).to.deep.equal([0, HOUR]);
  });

  it('logs why a key is stalled and leaves it alone', async () => {
    const given = await started(bench(async () => ({ kind: 'stalled', reason: 'NoSuchAuthority' })));
    await given.clock.advance(2 * HOUR);
    expect(given.runsMs).to.deep.equal([0]);
    expect(given.log.texts).to.deep.equal(['info stalled until something changes']);
    expect(given.log.lines[0]?.fields).to.include({
      controller: 'test',
      namespace: 'a',
      name: 'x',
      reason: 'NoSuchAuthority',
    });
    expect(given.log.lines[0]?.fields['reconcileID']).to.match(/^[0-9a-f-]{36}$/);
  });

  it('counts a recheck at no instant as a bug', async () => {
    const outcomes: Outcome[] = [{ kind: 'recheck', atMs: Number.NaN }];
    const given = await started(bench(async () => outcomes.pop() ?? SETTLED));
    expect(given.finished).to.deep.equal([{ result: 'error', failure: 'bug', seconds: 0 }]);
  });
});

describe('Controller, failures', () => {
  it('backs off, longer each time, and starts over after a success', async () => {
    const failures = [true, true, true, false, true];
    const given = await started(
      bench(async () => {
        if (failures.shift() === true) throw new KubeError('KUBE_UNAVAILABLE', 'get secrets a/x');
        return SETTLED;
      }),
    );
    await given.clock.advance(1000);
    given.controller.enqueue('a/x');
    await given.clock.advance(1000);
    expect(given.runsMs).to.deep.equal([0, 100, 300, 700, 1000, 1100]);
  });

  it('waits as long as the server asks', async () => {
    const given = await started(
      bench(failsOnce(new KubeError('KUBE_TOO_MANY_REQUESTS', 'get secrets a/x', { retryAfterMs: 5000 }))),
    );
    await given.clock.advance(10_000);
    expect(given.runsMs).to.deep.equal([0, 5000]);
  });

  it('tries a conflict again without calling it an error', async () => {
    const given = await started(bench(failsOnce(new KubeError('KUBE_CONFLICT', 'update secrets a/x'))));
    await given.clock.advance(1000);
    expect(given.runsMs).to.deep.equal([0, 100]);
    expect(given.finished.map(({ result }) => result)).to.deep.equal(['requeue', 'success']);
    expect(given.log.texts).to.deep.equal(['debug reconcile overtaken']);
  });

  it('tries rarely when the error says that a retry cannot help', async () => {
    const given = await started(bench(failsOnce(new KubeError('KUBE_INVALID', 'create secrets a/x'))));
    await given.clock.advance(HOUR);
    expect(given.runsMs).to.deep.equal([0, 600_000]);
    expect(given.finished[0]).to.deep.equal({ result: 'error', failure: 'terminal', seconds: 0 });
    expect(given.log.texts).to.deep.equal(['error reconcile failed']);
  });

  it('logs the stack of a bug, thrown at once or later', async () => {
    const bug = new TypeError('x is undefined');
    for (const reconcile of [
      failsOnce(bug),
      () => {
        throw bug;
      },
    ]) {
      const given = await started(bench(reconcile));
      expect(given.finished).to.deep.equal([{ result: 'error', failure: 'bug', seconds: 0 }]);
      expect(given.log.lines[0]?.fields).to.include({ kind: 'bug', error: bug.stack, retryInMs: 100 });
      await given.controller.stop(0);
    }
  });

  it('ends a reconcile that takes too long, and tries it again', async () => {
    const hangs = [true];
    const given = await started(
      bench(async (_, { signal }) => (hangs.pop() === true ? untilAborted(signal) : SETTLED)),
    );
    await given.clock.advance(119_999);
    expect(given.finished).to.deep.equal([]);
    await given.clock.advance(1000);
    expect(given.finished.map(({ result, failure }) => [result, failure])).to.deep.equal([
      ['error', 'timeout'],
      ['success', undefined],
    ]);
  });

  it('keeps key and worker of a reconcile that ignores its time-out, and shows it', async () => {
    const given = await started(bench(() => new Promise(() => {})));
    given.controller.enqueue('a/x');
    await given.clock.advance(600_000);
    expect(given.runsMs).to.deep.equal([0]);
    expect(given.controller.longestRunningSeconds()).to.equal(600);
  });

  it('leaves no timer behind', async () => {
    const given = await started(bench(async () => SETTLED));
    expect(given.clock.timerCount).to.equal(0);
  });
});

describe('Controller.stop', () => {
  it('waits for what runs and starts nothing more', async () => {
    const work = Promise.withResolvers<Outcome>();
    const given = await started(bench(() => work.promise, { listKeys: () => ['a/x', 'a/y'] }));
    const stopped = given.controller.stop(30_000);
    given.controller.enqueue('a/z');
    work.resolve(SETTLED);
    expect(await stopped).to.equal(0);
    await given.clock.advance(1000);
    expect(given.runsMs).to.deep.equal([0]);
  });

  it('tells what still runs after the grace to end', async () => {
    const given = await started(bench(async (_, { signal }) => untilAborted(signal)));
    const stopped = given.controller.stop(30_000);
    await given.clock.advance(30_000);
    expect(await stopped).to.equal(0);
  });

  it('says how many reconciles do not end', async () => {
    const given = await started(bench(() => new Promise(() => {})));
    const stopped = given.controller.stop(30_000);
    await given.clock.advance(31_000);
    expect(await stopped).to.equal(1);
  });

  it('works before start', async () => {
    const given = bench(async () => SETTLED);
    expect(await given.controller.stop(0)).to.equal(0);
    await started(given);
    expect(given.runsMs).to.deep.equal([]);
  });
});
