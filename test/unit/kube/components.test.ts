/** The parts of this layer as components of a process. */

import { expect } from 'chai';
import {
  controllersComponent,
  electionComponent,
  eventsComponent,
  healthComponent,
} from '../../../src/kube/components.ts';
import { LeaderElector } from '../../../src/kube/leader.ts';
import { LeaseStore } from '../../support/lease-store.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';

const running = { signal: new AbortController().signal, fail: () => expect.fail('failed') };
const inTime = { graceMs: 30_000, clean: true };

function newElector(store: LeaseStore): { readonly elector: LeaderElector; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { clock, elector: new LeaderElector({ lease: store.port(), identity: 'a', clock, timers: clock }) };
}

describe('electionComponent', () => {
  it('starts what follows when this process leads, and gives the lease away when all has ended', async () => {
    const store = new LeaseStore();
    const component = electionComponent(newElector(store).elector);
    await component.start(running);
    expect(store.lease?.spec?.holderIdentity).to.equal('a');
    expect(await component.stop(inTime)).to.equal(true);
    expect(store.lease?.spec?.holderIdentity).to.equal('');
  });

  it('keeps the lease while something may still write', async () => {
    const store = new LeaseStore();
    const component = electionComponent(newElector(store).elector);
    await component.start(running);
    expect(await component.stop({ ...inTime, clean: false })).to.equal(false);
    await settle();
    expect(store.lease?.spec?.holderIdentity).to.equal('a');
  });

  it('stops while it waits to lead', async () => {
    const store = new LeaseStore();
    store.write({ holderIdentity: 'other', leaseDurationSeconds: 15 });
    const component = electionComponent(newElector(store).elector);
    void component.start(running);
    await settle();
    expect(await component.stop(inTime)).to.equal(true);
    expect(store.lease?.spec?.holderIdentity).to.equal('other');
  });

  it('ends the process when the lease is lost', async () => {
    const store = new LeaseStore();
    const { elector, clock } = newElector(store);
    const reasons: string[] = [];
    await electionComponent(elector).start({ ...running, fail: (reason) => reasons.push(reason) });
    store.write({ holderIdentity: 'other' });
    await clock.advance(2000);
    expect(reasons).to.deep.equal(['leader election lost: the lease is no longer ours']);
  });
});

describe('controllersComponent', () => {
  for (const [unfinished, ended] of [
    [[0, 0], true],
    [[0, 2], false],
  ] as const) {
    it(`says ${ended} when ${unfinished.join(' and ')} reconciles are left`, async () => {
      const controllers = unfinished.map((count) => ({ start: async () => {}, stop: async () => count }));
      expect(await controllersComponent(controllers).stop(inTime)).to.equal(ended);
    });
  }
});

describe('eventsComponent', () => {
  it('flushes events when it stops', async () => {
    const deadlines: number[] = [];
    const component = eventsComponent({
      flush: async (deadlineMs) => {
        deadlines.push(deadlineMs);
      },
    });
    await component.start(running);
    expect([await component.stop(inTime), deadlines]).to.deep.equal([true, [5000]]);
  });
});

describe('healthComponent', () => {
  it('answers from start to stop', async () => {
    const log = recordingLog();
    const metrics = { contentType: 'text/plain', metrics: async () => '' };
    const component = healthComponent({ port: 0, host: '127.0.0.1', live: {}, ready: {}, metrics, log });
    await component.start(running);
    const url = `http://127.0.0.1:${log.lines[0]?.fields['port']}/healthz`;
    expect((await fetch(url)).status).to.equal(200);
    expect(await component.stop(inTime)).to.equal(true);
    expect(await fetch(url).catch(() => 'closed')).to.equal('closed');
  });
});
