/** One elector against a Lease that only compares and swaps: acquiring, renewing, refusing, releasing. */

import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { KubeError } from '../../../src/kube/errors.ts';
import type { LeaderElectorOptions } from '../../../src/kube/leader.ts';
import { LeaderElector } from '../../../src/kube/leader.ts';
import type { LeaseFaults } from '../../support/lease-store.ts';
import { LeaseStore, noFaults } from '../../support/lease-store.ts';
import { ManualClock, settle, T0 } from '../../support/manual-clock.ts';
import type { RecordingLog } from '../../support/recording-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

interface Candidate {
  readonly elector: LeaderElector;
  readonly clock: ManualClock;
  readonly faults: LeaseFaults;
  readonly log: RecordingLog;
  readonly status: readonly boolean[];
  readonly abort: AbortController;
  readonly run: Promise<void>;
  /** Reasons of a loss; at most one. */
  readonly losses: readonly string[];
}

/** A candidate that takes part, with retry periods of exactly 2 s. */
function join(store: LeaseStore, identity: string, options: Partial<LeaderElectorOptions> = {}): Candidate {
  const clock = new ManualClock();
  const faults = noFaults();
  const log = recordingLog();
  const status: boolean[] = [];
  const losses: string[] = [];
  const elector = new LeaderElector({
    lease: store.port(faults),
    identity,
    clock,
    timers: clock,
    random: () => 0,
    log,
    observer: { leading: (isLeader) => status.push(isLeader) },
    ...options,
  });
  void elector.lost.then((reason) => losses.push(reason));
  const abort = new AbortController();
  return { elector, clock, faults, log, status, abort, losses, run: elector.run(abort.signal) };
}

async function leading(store: LeaseStore, identity = 'a'): Promise<Candidate> {
  const candidate = join(store, identity);
  await candidate.elector.acquired();
  return candidate;
}

/** Time passes for all of them alike. */
async function advance(candidates: readonly Candidate[], ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    for (const { clock } of candidates) await clock.advance(100);
  }
}

function refusal(elector: LeaderElector): unknown {
  try {
    elector.assertHeld();
    return undefined;
  } catch (error) {
    return error instanceof KubeError ? error.code : error;
  }
}

describe('LeaderElector, acquiring', () => {
  it('creates the Lease when there is none', async () => {
    const store = new LeaseStore();
    const { elector, status } = await leading(store);
    expect(store.lease?.spec).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    expect({
      refusal: refusal(elector),
      isLeader: elector.isLeader,
      term: elector.term,
      status,
    }).to.deep.equal({
      refusal: undefined,
      isLeader: true,
      term: 0,
      status: [false, true],
    });
  });

  it('refuses writes before it leads', async () => {
    const store = new LeaseStore();
    await leading(store);
    const { elector, status } = join(store, 'b');
    await settle();
    expect([refusal(elector), elector.isLeader, elector.term, status]).to.deep.equal([
      'KUBE_LEASE_NOT_HELD',
      false,
      undefined,
      [false],
    ]);
  });

  it('waits until the record has not changed for the time it promises', async () => {
    const store = new LeaseStore();
    store.write({ holderIdentity: 'gone', leaseDurationSeconds: 30, leaseTransitions: 6 });
    const { elector, clock } = join(store, 'b');
    await clock.advance(29_999);
    expect(elector.isLeader).to.equal(false);
    await clock.advance(2000);
    expect([elector.isLeader, elector.term]).to.deep.equal([true, 7]);
  });

  for (const jitter of [0, 0.999]) {
    it(`leads within 18 s of the last renewal, which it has just missed (jitter ${jitter})`, async () => {
      const store = new LeaseStore();
      const record = { holderIdentity: 'gone', leaseDurationSeconds: 15 };
      store.write({ ...record, renewTime: '2026-01-01T00:00:00.000000Z' });
      const { elector, clock } = join(store, 'b', { random: () => jitter });
      await settle();
      store.write({ ...record, renewTime: '2026-01-01T00:00:02.000000Z' });
      await clock.advance(18_000);
      expect(elector.isLeader).to.equal(true);
    });
  }

  it('asks no faster when the record has run out and the server refuses every call', async () => {
    const store = new LeaseStore();
    store.write({ holderIdentity: 'gone', leaseDurationSeconds: 15 });
    const port = store.port();
    let calls = 0;
    const get = async (signal: AbortSignal) => {
      calls += 1;
      if (calls > 1) throw new KubeError('KUBE_UNAVAILABLE', 'get leases');
      return port.get(signal);
    };
    const { clock } = join(store, 'b', { lease: { ...port, get } });
    await clock.advance(60_000);
    expect(calls).to.equal(31);
  });

  it('takes a lease that nobody holds at once, as a new term', async () => {
    const store = new LeaseStore();
    store.write({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 6 });
    expect((await leading(store)).elector.term).to.equal(7);
  });

  for (const [title, renewTime] of [
    ['an hour behind', '2025-12-31T23:00:00.000000Z'],
    ['an hour ahead', '2026-01-01T01:00:00.000000Z'],
  ] as const) {
    it(`does not mind a holder whose clock is ${title}`, async () => {
      const store = new LeaseStore();
      store.write({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime });
      const { elector, clock } = join(store, 'b');
      await clock.advance(14_000);
      expect(elector.isLeader).to.equal(false);
      await clock.advance(2000);
      expect(elector.isLeader).to.equal(true);
    });
  }

  it('lets one of three win and the others wait', async () => {
    const store = new LeaseStore();
    const candidates = ['a', 'b', 'c'].map((identity) => join(store, identity));
    await advance(candidates, 60_000);
    expect(candidates.map(({ elector }) => elector.isLeader)).to.deep.equal([true, false, false]);
    expect(store.lease?.spec?.renewTime).to.equal('2026-01-01T00:01:00.000000Z');
  });

  it('recognises its own claim whose answer was lost', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults } = join(store, 'a');
    faults.lostAnswers = 1;
    await clock.advance(4999);
    expect(elector.isLeader).to.equal(false);
    await clock.advance(3000);
    expect([elector.isLeader, elector.term]).to.deep.equal([true, 0]);
    expect(store.calls).to.deep.equal(['get', 'create', 'get', 'replace']);
  });

  it('keeps what others wrote into the Lease', async () => {
    const store = new LeaseStore();
    const foreign = { holderIdentity: '', preferredHolder: 'x' };
    store.write(foreign);
    await leading(store);
    expect(store.lease?.spec).to.include({ preferredHolder: 'x', holderIdentity: 'a' });
  });

  it('writes the duration in whole seconds, rounded up', async () => {
    const store = new LeaseStore();
    const timing = { leaseDurationMs: 1500, renewDeadlineMs: 1000, retryPeriodMs: 200 };
    await join(store, 'a', timing).elector.acquired();
    expect(store.lease?.spec?.leaseDurationSeconds).to.equal(2);
  });

  it('names itself by host and a fresh uuid', () => {
    const lease = new LeaseStore().port();
    const [a, b] = [new LeaderElector({ lease }), new LeaderElector({ lease })];
    expect(a.identity).to.match(/^.+_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(a.identity).to.not.equal(b.identity);
  });

  for (const timing of [
    { leaseDurationMs: 10_000 },
    { renewDeadlineMs: 2400 },
    { retryPeriodMs: 0 },
    { leaseDurationMs: Number.NaN },
  ]) {
    it(`rejects ${JSON.stringify(timing)}`, () => {
      expect(() => new LeaderElector({ lease: new LeaseStore().port(), ...timing })).to.throw(RangeError);
    });
  }
});

describe('LeaderElector, renewing', () => {
  it('renews every retry period without reading, and stays in its term', async () => {
    const store = new LeaseStore();
    const { elector, clock } = await leading(store);
    await clock.advance(6000);
    expect(store.calls).to.deep.equal(['get', 'create', 'replace', 'replace', 'replace']);
    expect(store.lease?.spec).to.include({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:06.000000Z',
      leaseTransitions: 0,
    });
    expect(elector.isLeader).to.equal(true);
  });

  it('carries on after a renewal whose answer was lost', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults, losses } = await leading(store);
    faults.lostAnswers = 1;
    await clock.advance(30_000);
    expect([elector.isLeader, elector.term, losses]).to.deep.equal([true, 0, []]);
  });

  it('survives an API server that is away for less than the deadline', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults, losses } = await leading(store);
    faults.unreachable = true;
    await clock.advance(8000);
    faults.unreachable = false;
    await clock.advance(30_000);
    expect([elector.isLeader, losses]).to.deep.equal([true, []]);
  });

  it('gives up at the deadline when the API server is away, and says so once', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults, losses, log, status, run } = await leading(store);
    faults.unreachable = true;
    await clock.advance(9999);
    expect([refusal(elector), losses]).to.deep.equal([undefined, []]);
    await clock.advance(1);
    await run;
    expect([refusal(elector), losses]).to.deep.equal([
      'KUBE_LEASE_NOT_HELD',
      ['no renewal succeeded in time'],
    ]);
    expect(status).to.deep.equal([false, true, false]);
    expect(log.texts.filter((text) => text.startsWith('error'))).to.deep.equal(['error lease lost']);
  });

  for (const [title, spec] of [
    ['another holds the lease', { holderIdentity: 'b', leaseDurationSeconds: 15 }],
    ['nobody holds the lease any more', { holderIdentity: '', leaseDurationSeconds: 1 }],
  ] as const) {
    it(`gives up when ${title}`, async () => {
      const store = new LeaseStore();
      const { clock, losses, run } = await leading(store);
      store.write(spec);
      await clock.advance(2000);
      await run;
      expect([losses, store.lease?.spec]).to.deep.equal([['the lease is no longer ours'], spec]);
    });
  }

  it('gives up when the Lease is deleted', async () => {
    const store = new LeaseStore();
    const { clock, losses, run } = await leading(store);
    store.lease = undefined;
    await clock.advance(2000);
    await run;
    expect([losses, store.lease]).to.deep.equal([['the lease is no longer ours'], undefined]);
  });
});

describe('LeaderElector.assertHeld', () => {
  it('refuses at once after a stop of the process past the deadline, before any timer has run', async () => {
    const { elector, clock, losses, run } = await leading(new LeaseStore());
    clock.freeze(10_000);
    expect(refusal(elector)).to.equal('KUBE_LEASE_NOT_HELD');
    await run;
    expect(losses).to.deep.equal(['no renewal succeeded in time']);
  });

  it('accepts after a shorter stop', async () => {
    const { elector, clock } = await leading(new LeaseStore());
    clock.freeze(9999);
    expect(refusal(elector)).to.equal(undefined);
  });

  it('counts from when a renewal was sent, not from its answer', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults } = await leading(store);
    const answers = Promise.withResolvers<void>();
    faults.gate = answers.promise;
    await clock.advance(6000);
    answers.resolve();
    await settle();
    faults.unreachable = true;
    expect(store.calls).to.deep.equal(['get', 'create', 'replace']);
    await clock.advance(5999);
    expect(refusal(elector)).to.equal(undefined);
    clock.freeze(1);
    expect(refusal(elector)).to.equal('KUBE_LEASE_NOT_HELD');
  });

  for (const [title, stepMs] of [
    ['was suspended, or its clock set forward', 3_600_000],
    ['clock was set back', -3_600_000],
  ] as const) {
    it(`refuses when the machine's ${title}, until a renewal begun at once has succeeded`, async () => {
      const store = new LeaseStore();
      const { elector, clock, losses } = await leading(store);
      clock.stepWall(stepMs);
      expect([refusal(elector), refusal(elector)]).to.deep.equal([
        'KUBE_LEASE_NOT_HELD',
        'KUBE_LEASE_NOT_HELD',
      ]);
      await settle();
      expect([refusal(elector), losses, store.calls]).to.deep.equal([
        undefined,
        [],
        ['get', 'create', 'replace'],
      ]);
    });
  }

  it('loses the lease when another took it while the machine was suspended', async () => {
    const store = new LeaseStore();
    const { elector, clock, losses, run } = await leading(store);
    store.write({ holderIdentity: 'b', leaseDurationSeconds: 15 });
    clock.stepWall(3_600_000);
    expect(refusal(elector)).to.equal('KUBE_LEASE_NOT_HELD');
    await run;
    expect(losses).to.deep.equal(['the lease is no longer ours']);
  });

  it('does not hurry again while renewals fail, however often it is asked', async () => {
    const store = new LeaseStore();
    const { elector, clock, faults } = await leading(store);
    faults.lostAnswers = 10;
    clock.stepWall(3_600_000);
    for (let i = 0; i < 50; i++) {
      refusal(elector);
      await clock.advance(100);
    }
    expect(store.calls).to.deep.equal(['get', 'create', 'replace']);
  });
});

describe('LeaderElector.run', () => {
  it('gives the lease away when its signal is aborted, so that the next leads at once', async () => {
    const store = new LeaseStore();
    const a = await leading(store);
    await a.clock.advance(5000);
    a.abort.abort();
    await a.run;
    expect([refusal(a.elector), a.status, a.losses]).to.deep.equal([
      'KUBE_LEASE_NOT_HELD',
      [false, true, false],
      [],
    ]);
    expect(store.lease?.spec).to.deep.equal({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: '2026-01-01T00:00:05.000000Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
      leaseTransitions: 0,
    });
    expect((await leading(store, 'b')).elector.term).to.equal(1);
  });

  it('leaves the lease of another alone', async () => {
    const store = new LeaseStore();
    const a = await leading(store);
    store.write({ holderIdentity: 'b' });
    a.abort.abort();
    await a.run;
    expect(store.lease?.spec).to.deep.equal({ holderIdentity: 'b' });
  });

  it('ends when the lease cannot be given away', async () => {
    const store = new LeaseStore();
    const a = await leading(store);
    a.faults.unreachable = true;
    a.abort.abort();
    await a.clock.advance(5000);
    await a.run;
    expect(a.log.texts.at(-1)).to.equal('warn lease call failed');
  });

  it('ends without leading when it is stopped before', async () => {
    const store = new LeaseStore();
    await leading(store);
    const b = join(store, 'b');
    await settle();
    b.abort.abort();
    await b.run;
    expect([b.status, store.lease?.spec?.holderIdentity]).to.deep.equal([[false], 'a']);
  });

  it('leaves no listener and no timer behind', async () => {
    const a = await leading(new LeaseStore());
    await a.clock.advance(10_000);
    expect(getEventListeners(a.abort.signal, 'abort').length).to.equal(1);
    a.abort.abort();
    await a.run;
    expect([getEventListeners(a.abort.signal, 'abort').length, a.clock.timerCount]).to.deep.equal([0, 0]);
  });

  it('writes its times by the clock of the machine', async () => {
    const store = new LeaseStore();
    const { clock } = await leading(store);
    clock.stepWall(60_000);
    await clock.advance(2000);
    expect(store.lease?.spec?.renewTime).to.equal(new Date(T0 + 62_000).toISOString().replace('Z', '000Z'));
  });
});
