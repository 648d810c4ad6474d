import { expect } from 'chai';
import type { GenerationFacts } from '../../../../src/domain/authority/facts.ts';
import { scheduleOf } from '../../../../src/domain/authority/periods.ts';
import type { AuthorityPlan } from '../../../../src/domain/authority/plan.ts';
import {
  DAY,
  type Differences,
  generation,
  LACKING,
  MADE,
  MINUTE,
  PERIODS,
  planAt,
  prepared,
} from '../../../support/authority/planned.ts';

const lacking = (): ReadonlyMap<string, string> => LACKING;

/** While one namespace lacks everything. */
function plan(generations: readonly GenerationFacts[], days: number, rest: Differences = {}): AuthorityPlan {
  return planAt(generations, days, { lacking, ...rest });
}

describe('planAuthority, while a namespace lacks the next generation', () => {
  describe('of a leader that begins after a long time in which none was there', () => {
    const generations = [generation('a'), prepared('b', MADE + 12 * DAY)];
    const planned = (minutes: number, began: number, seen = generations) =>
      plan(seen, began + minutes / 1440, { takenOverAtMs: MADE + began * DAY });

    it('excludes nothing in its first ten minutes', () => {
      expect(planned(9, 23)).to.deep.include({ excluded: new Map() });
      expect(planned(10, 23)).to.deep.include({ excluded: LACKING });
    });

    it('gives it half an hour before the deadline counts, as long as the one that signs lasts', () => {
      const noted = [
        generation('a'),
        prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 24 * DAY - MINUTE }),
      ];
      const step = { kind: 'activate', id: 'b', reason: 'Deadline', missing: LACKING };
      const seen = (minutes: number) => [
        generation('a'),
        prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 23 * DAY + (minutes - 1) * MINUTE }),
      ];
      expect(planned(29, 23, seen(29)).step.kind).to.equal('wait');
      expect(planned(30, 23, seen(30)).step).to.deep.equal(step);
      const late = 24 - 20 / 1440;
      expect(planned(9, late).step.kind).to.equal('wait');
      expect(plan(noted, 24 - 0.5 / 1440, { takenOverAtMs: MADE + late * DAY }).step).to.deep.equal(step);
    });
  });

  for (const [key, reason] of [
    ['taint', 'Tainted'],
    ['revoke', 'Revoked'],
  ] as const) {
    it(`does not let one namespace hold up what is ${reason} for more than half an hour`, () => {
      const intent = { [key]: new Set(['a']) };
      const leaked = (next: GenerationFacts, minutes: number) =>
        plan([generation('a', { taintedAtMs: MADE + 2 * DAY }), next], 2 + minutes / 1440, {
          intent,
          lacking,
        });
      for (const madeDays of [1.5, 2]) {
        const next = prepared('b', MADE + madeDays * DAY);
        expect(leaked(next, 29)).to.deep.include({ excluded: new Map() });
        expect(leaked(next, 30)).to.deep.include({
          step: { kind: 'note-seen', id: 'b', isSeen: true },
          excluded: LACKING,
        });
      }
      const noted = prepared('b', MADE + 2 * DAY, { seenSinceMs: MADE + 2 * DAY + 30 * MINUTE });
      expect(leaked(noted, 40).step).to.deep.equal({
        kind: 'activate',
        id: 'b',
        reason: 'Ready',
        missing: LACKING,
      });
    });
  }
});

describe('scheduleOf', () => {
  it('follows the life of the generation, and waits for a namespace no longer than with one that is made now', () => {
    const year = { id: 'a', notBeforeMs: MADE - 2 * MINUTE, notAfterMs: MADE + 360 * DAY };
    expect(scheduleOf(year, PERIODS)).to.deep.equal({
      prepareAtMs: MADE + 180 * DAY,
      activateAtMs: MADE + 300 * DAY,
      deadlineMs: MADE + 330 * DAY,
      lastResortMs: MADE + 345 * DAY,
      excludeAfterMs: DAY,
    });
    expect(scheduleOf({ ...year, notAfterMs: MADE + 12 * DAY }, PERIODS)).to.include({
      excludeAfterMs: DAY / 2,
    });
  });
});
