/** Three electors under random faults: stops, suspends, clock steps, lost answers, cut connections. */

import { expect } from 'chai';
import fc from 'fast-check';
import { LeaderElector } from '../../../src/kube/leader.ts';
import type { LeaseFaults } from '../../support/lease-store.ts';
import { LeaseStore, noFaults } from '../../support/lease-store.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const STEP_MS = 200;

/** One machine with one candidate on it. */
interface Machine {
  readonly clock: ManualClock;
  readonly faults: LeaseFaults;
  readonly elector: LeaderElector;
  isLost: boolean;
  /** `stopped` as by SIGSTOP; `suspended` with the whole machine, whose monotonic clock then stands still. */
  state: 'running' | 'stopped' | 'suspended';
  openGate: () => void;
}

function machine(store: LeaseStore, identity: string): Machine {
  const clock = new ManualClock();
  const faults = noFaults();
  const elector = new LeaderElector({
    lease: store.port(faults),
    identity,
    clock,
    timers: clock,
    random: () => 0.3,
  });
  const made: Machine = { clock, faults, elector, isLost: false, state: 'running', openGate() {} };
  void elector.lost.then(() => {
    made.isLost = true;
  });
  void elector.run(new AbortController().signal);
  return made;
}

type Fault =
  | { readonly kind: 'pass'; readonly steps: number }
  | {
      readonly kind: 'stop' | 'suspend' | 'resume' | 'loseAnswer' | 'cutOff' | 'reconnect';
      readonly who: number;
    }
  | { readonly kind: 'stepWall'; readonly who: number; readonly ms: number };

const SUSPENDED_ONLY = 0;
const who = fc.nat(2);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), steps: fc.integer({ min: 1, max: 120 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('stop', 'resume', 'loseAnswer', 'cutOff', 'reconnect'),
      who,
    }),
  },
  // A wall clock that is set back just while its machine was suspended hides the time that has passed: no fence that
  // reads clocks can see both, so no machine has both faults.
  { weight: 1, arbitrary: fc.constant({ kind: 'suspend' as const, who: SUSPENDED_ONLY }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stepWall' as const),
      who: fc.integer({ min: 1, max: 2 }),
      ms: fc.integer({ min: -60_000, max: 60_000 }),
    }),
  },
);

function inflict(machines: readonly Machine[], given: Exclude<Fault, { kind: 'pass' }>): void {
  const hit = machines[given.who];
  if (hit === undefined) return;
  switch (given.kind) {
    case 'stop':
      halt(hit, 'stopped');
      break;
    case 'suspend':
      halt(hit, 'suspended');
      break;
    case 'resume':
      resume(hit);
      break;
    case 'loseAnswer':
      hit.faults.lostAnswers += 1;
      break;
    case 'cutOff':
    case 'reconnect':
      hit.faults.unreachable = given.kind === 'cutOff';
      break;
    case 'stepWall':
      hit.clock.stepWall(given.ms);
  }
}

function halt(hit: Machine, state: 'stopped' | 'suspended'): void {
  if (hit.state !== 'running') return;
  const gate = Promise.withResolvers<void>();
  hit.state = state;
  hit.faults.gate = gate.promise;
  hit.openGate = gate.resolve;
}

function resume(hit: Machine): void {
  hit.state = 'running';
  hit.openGate();
}

async function pass({ clock, state }: Machine): Promise<void> {
  if (state === 'running') await clock.advance(STEP_MS);
  else if (state === 'stopped') clock.freeze(STEP_MS);
  else clock.stepWall(STEP_MS);
}

/** The machines whose process could write at this moment. */
function writers(machines: readonly Machine[]): number {
  return machines.filter(({ state, elector }) => state === 'running' && elector.isLeader).length;
}

async function live(machines: readonly Machine[], steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    for (const one of machines) await pass(one);
    expect(writers(machines)).to.be.at.most(1);
  }
}

describe('LeaderElector, three candidates', () => {
  it('never lets two write at once, and one leads again when the faults are over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 30, size: 'max' }), async (faults) => {
        const store = new LeaseStore();
        const machines = ['a', 'b', 'c'].map((identity) => machine(store, identity));
        await settle();
        for (const given of faults) {
          if (given.kind === 'pass') await live(machines, given.steps);
          else inflict(machines, given);
          expect(writers(machines)).to.be.at.most(1);
        }
        for (const one of machines) {
          resume(one);
          Object.assign(one.faults, noFaults());
        }
        await live(machines, 40_000 / STEP_MS);
        const alive = machines.filter(({ isLost }) => !isLost);
        expect(writers(machines)).to.equal(alive.length > 0 ? 1 : 0);
      }),
      { numRuns: 60 },
    );
  });
});
