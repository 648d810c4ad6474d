/** How keys are woken when something changes that concerns all of them. */

import { expect } from 'chai';
import { wakeInTurn } from '../../../src/controllers/triggers.ts';
import { Controller, type ControllerOptions } from '../../../src/kube/controller.ts';
import type { Key } from '../../../src/kube/object.ts';
import { WorkQueue } from '../../../src/kube/work-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('wakeInTurn', () => {
  it('lets a hundred keys be looked at in a second, and what is new at once', async () => {
    const clock = new ManualClock();
    const seen: { readonly key: Key; readonly atMs: number }[] = [];
    const options: ControllerOptions = {
      name: 'identities',
      clock,
      queue: new WorkQueue({ clock, timers: clock }),
      listKeys: () => [],
      reconcile: async (key) => {
        seen.push({ key, atMs: clock.monotonicMs() });
        return { kind: 'settled' };
      },
    };
    const controller = new Controller(options);
    await controller.start(new AbortController().signal);
    const startedMs = clock.monotonicMs();
    wakeInTurn(
      controller,
      Array.from({ length: 100 }, (_, index) => `a/${index}`),
    );
    await clock.advance(500);
    controller.enqueue('a/new');
    await clock.advance(500);
    const atMs = new Map(seen.map((each) => [each.key, each.atMs - startedMs]));
    expect([atMs.get('a/0'), atMs.get('a/49'), atMs.get('a/99')]).to.deep.equal([0, 490, 990]);
    expect(atMs.get('a/new')).to.equal(500);
    await controller.stop(0);
  });
});
