/** Start, stop and sudden end of a process; and of a real one. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Component, LifecycleOptions, ProcessPort, StartContext } from '../../../src/kube/lifecycle.ts';
import { Lifecycle } from '../../../src/kube/lifecycle.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import type { RecordingLog } from '../../support/recording-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

/** A process whose signals and errors a test makes up. */
interface FakeProcess extends ProcessPort {
  readonly exits: readonly number[];
  readonly listenerCount: number;
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  uncaught(error: unknown): void;
}

function fakeProcess(): FakeProcess {
  const exits: number[] = [];
  const signals = new Set<readonly [string, () => void]>();
  const uncaught = new Set<(error: unknown) => void>();
  return {
    exits,
    get listenerCount() {
      return signals.size + uncaught.size;
    },
    onSignal(signal, listener) {
      const entry = [signal, listener] as const;
      signals.add(entry);
      return () => signals.delete(entry);
    },
    onUncaught(listener) {
      uncaught.add(listener);
      return () => uncaught.delete(listener);
    },
    exit: (code) => exits.push(code),
    signal(name) {
      for (const [signal, listener] of [...signals]) if (signal === name) listener();
    },
    uncaught(error) {
      for (const listener of [...uncaught]) listener(error);
    },
  };
}

interface Bench {
  readonly lifecycle: Lifecycle;
  readonly process: FakeProcess;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
  readonly code: Promise<number>;
  /** What happened, in order. */
  readonly steps: string[];
  /** What the component of that name was given at its start. */
  readonly contexts: Map<string, StartContext>;
}

type Behaviour = Partial<Pick<Component, 'start' | 'stop'>>;

/** Runs components of those names; each writes down its starts and stops. */
async function live(
  behaviours: Record<string, Behaviour>,
  options: Partial<LifecycleOptions> = {},
): Promise<Bench> {
  const process = fakeProcess();
  const clock = new ManualClock();
  const log = recordingLog();
  const steps: string[] = [];
  const contexts = new Map<string, StartContext>();
  const components = Object.entries(behaviours).map(
    ([name, { start, stop }]): Component => ({
      name,
      async start(context) {
        steps.push(`start ${name}`);
        contexts.set(name, context);
        await start?.(context);
      },
      async stop(context) {
        steps.push(`stop ${name} ${JSON.stringify(context)}`);
        return (await stop?.(context)) ?? true;
      },
    }),
  );
  const flushLog = async (): Promise<void> => {
    steps.push('flush log');
  };
  const lifecycle = new Lifecycle({ components, log, flushLog, process, clock, timers: clock, ...options });
  const code = lifecycle.run();
  await settle();
  return { lifecycle, process, clock, log, code, steps, contexts };
}

const CLEAN = JSON.stringify({ graceMs: 30_000, clean: true });

describe('Lifecycle, starting', () => {
  it('starts components one after the other', async () => {
    const caches = Promise.withResolvers<void>();
    const { steps } = await live({ health: {}, caches: { start: () => caches.promise }, controllers: {} });
    expect(steps).to.deep.equal(['start health', 'start caches']);
    caches.resolve();
    await settle();
    expect(steps).to.deep.equal(['start health', 'start caches', 'start controllers']);
  });

  it('exits with 1 when a component cannot start', async () => {
    const { code, steps, log, process } = await live({
      health: { start: () => Promise.reject(new Error('port taken')) },
      caches: {},
    });
    expect([await code, process.exits, steps]).to.deep.equal([1, [1], ['start health', 'flush log']]);
    expect(log.texts).to.deep.equal(['error component could not start']);
  });

  it('stops what has begun to start when it is told to stop in between', async () => {
    const { process, code, steps } = await live({
      health: {},
      election: { start: () => new Promise(() => {}) },
      controllers: {},
    });
    process.signal('SIGTERM');
    expect(await code).to.equal(0);
    expect(steps).to.deep.equal([
      'start health',
      'start election',
      `stop election ${CLEAN}`,
      `stop health ${CLEAN}`,
      'flush log',
    ]);
  });
});

describe('Lifecycle, stopping', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops in the reverse order at ${signal}, flushes the log and exits with 0`, async () => {
      const { process, code, steps } = await live({ health: {}, election: {}, controllers: {} });
      process.signal(signal);
      expect([await code, process.exits]).to.deep.equal([0, [0]]);
      expect(steps.slice(3)).to.deep.equal([
        `stop controllers ${CLEAN}`,
        `stop election ${CLEAN}`,
        `stop health ${CLEAN}`,
        'flush log',
      ]);
    });
  }

  it('is not ready from the signal on, before anything has stopped', async () => {
    const { lifecycle, process } = await live({ controllers: { stop: () => new Promise(() => {}) } });
    expect(lifecycle.stoppingCheck()).to.equal(undefined);
    process.signal('SIGTERM');
    expect(lifecycle.stoppingCheck()).to.equal('shutting down');
  });

  it('shares one grace among the components', async () => {
    const drained = Promise.withResolvers<boolean>();
    const { process, code, steps, clock } = await live({
      caches: {},
      controllers: { stop: () => drained.promise },
    });
    process.signal('SIGTERM');
    await clock.advance(12_000);
    drained.resolve(true);
    await code;
    expect(steps[3]).to.equal('stop caches {"graceMs":18000,"clean":true}');
  });

  for (const [title, stop] of [
    ['does not end', async () => false],
    ['cannot stop', () => Promise.reject(new Error('x'))],
  ] as const) {
    it(`tells the others when one ${title}, and exits with 1`, async () => {
      const { process, code, steps } = await live({ election: {}, controllers: { stop } });
      process.signal('SIGTERM');
      expect(await code).to.equal(1);
      expect(steps[3]).to.equal('stop election {"graceMs":30000,"clean":false}');
    });
  }

  it('exits with 1 when stopping takes longer than the grace and 15 s', async () => {
    const { process, code, clock, log } = await live({ controllers: { stop: () => new Promise(() => {}) } });
    process.signal('SIGTERM');
    await clock.advance(44_999);
    expect(process.exits).to.deep.equal([]);
    await clock.advance(1);
    expect([await code, log.texts.at(-1)]).to.deep.equal([1, 'error shutdown took too long']);
  });

  it('exits with 1 at the second signal', async () => {
    const { process, code } = await live({ controllers: { stop: () => new Promise(() => {}) } });
    process.signal('SIGINT');
    process.signal('SIGINT');
    expect(await code).to.equal(1);
  });

  it('leaves no listener and no timer behind', async () => {
    const { process, code, clock } = await live({ health: {} });
    expect(process.listenerCount).to.equal(3);
    process.signal('SIGTERM');
    await code;
    expect([process.listenerCount, clock.timerCount]).to.deep.equal([0, 0]);
  });
});

describe('Lifecycle, ending at once', () => {
  it('exits with 1 when a component fails, with nothing stopped in order', async () => {
    const { contexts, code, steps, log } = await live({ election: {}, controllers: {} });
    contexts.get('election')?.fail('leader election lost: too late');
    expect(contexts.get('controllers')?.signal.aborted).to.equal(true);
    expect(await code).to.equal(1);
    expect(steps).to.deep.equal(['start election', 'start controllers', 'flush log']);
    expect(log.lines.at(-1)).to.deep.equal({
      level: 'error',
      message: 'component failed',
      fields: { component: 'election', reason: 'leader election lost: too late' },
    });
  });

  it('exits with 1 when the lease is lost while stopping', async () => {
    const { contexts, process, code } = await live({ election: { stop: () => new Promise(() => {}) } });
    process.signal('SIGTERM');
    await settle();
    contexts.get('election')?.fail('leader election lost: too late');
    expect(await code).to.equal(1);
  });

  it('logs what nobody caught and exits with 1', async () => {
    const { process, code, log } = await live({ health: {} });
    const error = new TypeError('x is undefined');
    process.uncaught(error);
    expect([await code, process.exits]).to.deep.equal([1, [1]]);
    expect(log.lines.at(-1)).to.deep.equal({
      level: 'error',
      message: 'nobody caught this',
      fields: { error: error.stack },
    });
  });

  for (const [title, flushLog] of [
    ['fails', () => Promise.reject(new Error('EPIPE'))],
    ['hangs', () => new Promise<void>(() => {})],
  ] as const) {
    it(`exits although the log ${title}`, async () => {
      const { process, code, clock } = await live({}, { flushLog });
      process.uncaught(new Error('x'));
      await clock.advance(1000);
      expect(await code).to.equal(1);
    });
  }
});

describe('Lifecycle, as a process', () => {
  const script = fileURLToPath(new URL('../../support/lifecycle-child.ts', import.meta.url));

  for (const [title, given, expected] of [
    ['SIGTERM', 'SIGTERM', { code: 0, lines: ['component started', 'shutting down', 'shutdown complete'] }],
    ['an unhandled rejection', 'reject', { code: 1, lines: ['component started', 'nobody caught this'] }],
    ['an uncaught exception', 'throw', { code: 1, lines: ['component started', 'nobody caught this'] }],
  ] as const) {
    it(`lets a process end at ${title}`, async () => {
      const child = spawn(process.execPath, [script, given], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8');
      child.stdout.on('data', (chunk: string) => {
        text += chunk;
        if (given === 'SIGTERM' && text === 'component started\n') child.kill('SIGTERM');
      });
      const [code] = await once(child, 'close');
      expect({ code, lines: text.trim().split('\n') }).to.deep.equal(expected);
    });
  }
});
