/** The event recorder: repeats, limits, failures, flushing. */

import { expect } from 'chai';
import { KubeError } from '../../../src/kube/errors.ts';
import type { EventInput, EventSeries } from '../../../src/kube/event.ts';
import type { EventRecorderOptions } from '../../../src/kube/events.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import type { RecordingLog } from '../../support/recording-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

const MINUTE = 60_000;

/** A server that keeps events, and answers with the next of `failures` while there are any. */
interface Server {
  /** Notes of the events created, in order. */
  readonly notes: string[];
  readonly series: Array<{ readonly event: string } & EventSeries>;
  readonly failures: unknown[];
  calls: number;
  /** When set, calls are answered only after it resolves. */
  gate: Promise<void>;
}

interface Bench {
  readonly recorder: EventRecorder;
  readonly clock: ManualClock;
  readonly server: Server;
  readonly log: RecordingLog;
  readonly counts: Record<string, number>;
}

function bench(options: Partial<EventRecorderOptions> = {}): Bench {
  const clock = new ManualClock();
  const log = recordingLog();
  const counts: Record<string, number> = {};
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const server: Server = { notes: [], series: [], failures: [], calls: 0, gate: Promise.resolve() };
  const names = new Map<string, string>();
  const answer = async (serve: () => void): Promise<void> => {
    server.calls += 1;
    await server.gate;
    const failure = server.failures.shift();
    if (failure !== undefined) throw failure;
    serve();
  };
  const recorder = new EventRecorder({
    port: {
      create: ({ metadata, note }) =>
        answer(() => {
          names.set(metadata.name, note);
          server.notes.push(note);
        }),
      patchSeries: ({ name }, series) =>
        answer(() => {
          const event = names.get(name);
          if (event === undefined) throw new KubeError('KUBE_NOT_FOUND', 'patch events');
          server.series.push({ event, ...series });
        }),
    },
    reportingController: 'agenttrust.dev/controller',
    reportingInstance: 'controller-0',
    clock,
    timers: clock,
    log,
    observer: { sent: () => count('sent'), dropped: (reason) => count(reason) },
    ...options,
  });
  return { recorder, clock, server, log, counts };
}

function event(note: string, changes: Partial<EventInput> & { readonly uid?: string } = {}): EventInput {
  const { uid = note, ...rest } = changes;
  return {
    regarding: { apiVersion: 'v1', kind: 'Secret', namespace: 'ai-agents', name: 'agent', uid },
    type: 'Normal',
    reason: 'Issued',
    action: 'Issue',
    note,
    ...rest,
  };
}

const unavailable = new KubeError('KUBE_UNAVAILABLE', 'create events');

describe('EventRecorder.record', () => {
  it('sends an event as soon as possible', async () => {
    const { recorder, server, counts } = bench();
    recorder.record(event('first'));
    await settle();
    expect([server.notes, counts]).to.deep.equal([['first'], { sent: 1 }]);
  });

  it('returns before anything is sent', () => {
    const { recorder, server } = bench();
    recorder.record(event('first'));
    expect(server.calls).to.equal(0);
  });

  it('never throws, whatever it is given', () => {
    const { recorder, counts, log } = bench();
    recorder.record({} as EventInput);
    expect([counts, log.texts]).to.deep.equal([
      { failed: 1 },
      ['warn event not sent; further ones with this code are only counted'],
    ]);
  });

  it('sends warnings before the rest', async () => {
    const { recorder, server } = bench();
    for (const note of ['a', 'b']) recorder.record(event(note));
    recorder.record(event('bad', { type: 'Warning' }));
    await settle();
    expect(server.notes).to.deep.equal(['bad', 'a', 'b']);
  });
});

describe('EventRecorder, repeats', () => {
  it('counts repeats in a series that is sent after 30 s', async () => {
    const { recorder, clock, server } = bench();
    for (let i = 0; i < 5; i++) {
      recorder.record(event('same'));
      await clock.advance(1000);
    }
    await clock.advance(26_000);
    expect(server.notes).to.deep.equal(['same']);
    expect(server.series).to.deep.equal([
      { event: 'same', count: 5, lastObservedTime: '2026-01-01T00:00:04.000000Z' },
    ]);
  });

  it('sends a series at most every 30 s', async () => {
    const { recorder, clock, server } = bench();
    for (let i = 0; i < 600; i++) {
      recorder.record(event('same'));
      await clock.advance(1000);
    }
    const seenMs = server.series.map(({ lastObservedTime }) => Date.parse(lastObservedTime));
    expect(server.notes).to.deep.equal(['same']);
    expect(seenMs.length).to.be.within(18, 20);
    for (const [index, atMs] of seenMs.slice(1).entries())
      expect(atMs - (seenMs[index] ?? 0)).to.be.at.least(30_000);
  });

  it('begins a new event after 10 min of silence', async () => {
    const { recorder, clock, server } = bench();
    recorder.record(event('same'));
    await clock.advance(10 * MINUTE + 1);
    recorder.record(event('same'));
    await settle();
    expect([server.notes, server.series]).to.deep.equal([['same', 'same'], []]);
  });

  for (const [title, changes] of [
    ['another object', { uid: 'other' }],
    ['another reason', { reason: 'Renewed' }],
  ] as const) {
    it(`keeps ${title} apart`, async () => {
      const { recorder, server } = bench();
      recorder.record(event('same', { uid: 'one' }));
      recorder.record(event('same', { uid: 'one', ...changes }));
      await settle();
      expect(server.notes).to.deep.equal(['same', 'same']);
    });
  }

  it('begins a new event when the first could not be created', async () => {
    const { recorder, clock, server, counts } = bench();
    server.failures.push(new KubeError('KUBE_FORBIDDEN', 'create events'));
    recorder.record(event('same'));
    recorder.record(event('same'));
    await clock.advance(MINUTE);
    recorder.record(event('same'));
    await settle();
    expect([server.notes, server.series, counts]).to.deep.equal([['same'], [], { failed: 1, sent: 1 }]);
  });
});

describe('EventRecorder, limits', () => {
  it('drops events about one object beyond its burst, then lets one through every 5 min', async () => {
    const { recorder, clock, server, counts } = bench();
    for (let i = 0; i < 30; i++) recorder.record(event(`n${i}`, { uid: 'u' }));
    recorder.record(event('other object'));
    await clock.advance(5 * MINUTE);
    for (const note of ['late', 'too late']) recorder.record(event(note, { uid: 'u' }));
    await settle();
    expect(server.notes.slice(24)).to.deep.equal(['n24', 'other object', 'late']);
    expect(counts).to.deep.equal({ spam: 6, sent: 27 });
  });

  it('sends a burst of 50, then 20 a second', async () => {
    const { recorder, clock, server } = bench();
    for (let i = 0; i < 100; i++) recorder.record(event(`n${i}`));
    await settle();
    expect(server.notes.length).to.equal(50);
    await clock.advance(1000);
    expect(server.notes.length).to.equal(70);
  });

  it('drops what finds no place, Normal events first', async () => {
    const { recorder, server, counts } = bench({ queueLimit: 2 });
    for (const note of ['a', 'b', 'c']) recorder.record(event(note));
    for (const note of ['w1', 'w2', 'w3']) recorder.record(event(note, { type: 'Warning' }));
    await settle();
    expect([server.notes, counts]).to.deep.equal([['w1', 'w2'], { full: 4, sent: 2 }]);
  });
});

describe('EventRecorder, failures', () => {
  it('tries again when that can help', async () => {
    const { recorder, clock, server, counts } = bench();
    server.failures.push(unavailable, unavailable);
    recorder.record(event('a'));
    await clock.advance(4000);
    expect([server.notes, server.calls, counts]).to.deep.equal([['a'], 3, { sent: 1 }]);
  });

  it('drops an event after three tries, and goes on with the next', async () => {
    const { recorder, clock, server, counts } = bench();
    server.failures.push(unavailable, unavailable, unavailable);
    for (const note of ['a', 'b']) recorder.record(event(note));
    await clock.advance(4000);
    expect([server.notes, counts]).to.deep.equal([['b'], { failed: 1, sent: 1 }]);
  });

  it('drops an event of a namespace that is going away without another try', async () => {
    const { recorder, server, counts } = bench();
    const causes = [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }];
    server.failures.push(new KubeError('KUBE_FORBIDDEN', 'create events', { causes }));
    recorder.record(event('a'));
    await settle();
    expect([server.calls, counts]).to.deep.equal([1, { failed: 1 }]);
  });

  it('takes an event that exists already as sent', async () => {
    const { recorder, server, counts } = bench();
    server.failures.push(new KubeError('KUBE_ALREADY_EXISTS', 'create events'));
    recorder.record(event('a'));
    await settle();
    expect(counts).to.deep.equal({ sent: 1 });
  });

  it('does not wait longer than 10 s for an answer', async () => {
    const { recorder, clock, server, counts } = bench();
    server.gate = new Promise(() => {});
    recorder.record(event('a'));
    await clock.advance(34_000);
    expect([server.calls, counts]).to.deep.equal([3, { failed: 1 }]);
  });

  it('logs each code once', async () => {
    const { recorder, server, log } = bench();
    const forbidden = new KubeError('KUBE_FORBIDDEN', 'create events');
    server.failures.push(forbidden, forbidden, new KubeError('KUBE_INVALID', 'create events'));
    for (const note of ['a', 'b', 'c']) recorder.record(event(note));
    await settle();
    expect(log.lines.map(({ fields }) => fields['code'])).to.deep.equal(['KUBE_FORBIDDEN', 'KUBE_INVALID']);
  });
});

describe('EventRecorder.flush', () => {
  it('sends everything at once, repeats included', async () => {
    const { recorder, server } = bench();
    for (let i = 0; i < 200; i++) recorder.record(event(`n${i}`));
    recorder.record(event('n0'));
    await recorder.flush(5000);
    expect([server.notes.length, server.series.map(({ count }) => count)]).to.deep.equal([200, [2]]);
  });

  it('gives up at its deadline', async () => {
    const { recorder, clock, server } = bench();
    server.gate = new Promise(() => {});
    recorder.record(event('a'));
    let isOver = false;
    const flushed = recorder.flush(5000).then(() => {
      isOver = true;
    });
    await clock.advance(4999);
    expect(isOver).to.equal(false);
    await clock.advance(1);
    await flushed;
  });

  it('has nothing to do when nothing waits', async () => {
    const { recorder, clock } = bench();
    await recorder.flush(5000);
    expect(clock.timerCount).to.equal(0);
  });
});
