import { expect } from 'chai';
import fc from 'fast-check';
import { ReissueTurns } from '../../../../src/controllers/authority/reissue-turns.ts';
import { spreadFraction } from '../../../../src/domain/certificate/renewal.ts';
import { pseudoRandom } from '../../../support/pseudo-random.ts';

const T0 = Date.UTC(2026, 0, 1);
const WINDOW_MS = 10_000;

interface Storm {
  readonly rate: number;
  readonly leaves: number;
  readonly seed: number;
  /** All are due at once: the operator was down. Else each when its hash says. */
  readonly atOnce: boolean;
  /** How much later than it was told somebody comes, at most. */
  readonly lateMs: number;
  /** How often somebody comes although nobody told it to, in 100 rounds. */
  readonly stray: number;
}

const storms: fc.Arbitrary<Storm> = fc.record({
  rate: fc.constantFrom(1, 2, 5, 20, 100, 1000),
  leaves: fc.integer({ min: 1, max: 800 }),
  seed: fc.nat(),
  atOnce: fc.boolean(),
  lateMs: fc.constantFrom(0, 50, 3_000, 20_000),
  stray: fc.constantFrom(0, 10, 50),
});

/** When each leaf is let through, in order. */
function runs({ rate, leaves, seed, atOnce, lateMs, stray }: Storm): readonly number[] {
  const turns = new ReissueTurns({ reissuePerSecond: rate });
  const random = pseudoRandom(seed);
  const spreadMs = (leaves / rate) * 1000;
  const asks = Array.from({ length: leaves }, (_, at) => {
    const key = `ai-agents/agent-${at}`;
    return { key, atMs: T0 + (atOnce ? 0 : Math.floor(spreadFraction(String(seed), key) * spreadMs)) };
  });
  const through: number[] = [];
  for (let rounds = 0; asks.length > 0; rounds++) {
    if (rounds > leaves * 200) throw new Error('somebody never gets a turn');
    const earliest = asks.reduce((best, each, at) => (each.atMs < (asks[best]?.atMs ?? 0) ? at : best), 0);
    const nowMs = asks[earliest]?.atMs ?? 0;
    const at = random() * 100 < stray ? Math.floor(random() * asks.length) : earliest;
    const ask = asks[at];
    if (ask === undefined || (at !== earliest && ask.atMs - nowMs > spreadMs)) continue;
    const againMs = turns.take(ask.key, nowMs);
    if (againMs === undefined) {
      through.push(nowMs);
      asks.splice(at, 1);
    } else if (againMs <= nowMs) throw new Error('the next turn is not later than now');
    else ask.atMs = againMs + Math.floor(random() * lateMs);
  }
  return through;
}

/** The most that are let through within any ten seconds. */
function mostInWindow(throughMs: readonly number[]): number {
  let [from, most] = [0, 0];
  for (const [at, atMs] of throughMs.entries()) {
    while ((throughMs[from] ?? 0) < atMs - WINDOW_MS) from++;
    most = Math.max(most, at - from + 1);
  }
  return most;
}

describe('ReissueTurns', () => {
  it('lets through at most eleven times the rate and one more in any ten seconds, and everybody once', () => {
    fc.assert(
      fc.property(storms, (storm) => {
        const through = runs(storm);
        expect(through).to.have.length(storm.leaves);
        expect(mostInWindow(through)).to.be.at.most(11 * storm.rate + 1);
      }),
      { numRuns: 200 },
    );
  });

  it('needs little longer than the rate says when all come as they are told', () => {
    fc.assert(
      fc.property(storms, (storm) => {
        const through = runs({ ...storm, lateMs: 0, stray: 0, atOnce: true });
        const seconds = ((through.at(-1) ?? T0) - T0) / 1000;
        expect(seconds).to.be.at.most(storm.leaves / storm.rate + 2);
      }),
      { numRuns: 100 },
    );
  });

  it('tells the same turn to who comes early', () => {
    const turns = new ReissueTurns({ reissuePerSecond: 1 });
    expect(turns.take('a', T0)).to.equal(undefined);
    expect(turns.take('b', T0)).to.equal(T0 + 1000);
    expect(turns.take('b', T0 + 1)).to.equal(T0 + 1000);
    expect(turns.take('c', T0 + 1)).to.equal(T0 + 2000);
    expect(turns.take('b', T0 + 1000)).to.equal(undefined);
  });

  it('goes on when the clock is set back', () => {
    const turns = new ReissueTurns({ reissuePerSecond: 1 });
    expect(turns.take('a', T0)).to.equal(undefined);
    expect(turns.take('b', T0)).to.equal(T0 + 1000);
    expect(turns.take('b', T0 - 3_600_000)).to.equal(T0 - 3_600_000 + 1000);
    expect(turns.take('b', T0 - 3_600_000 + 1000)).to.equal(undefined);
  });
});
