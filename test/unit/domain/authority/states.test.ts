import { expect } from 'chai';
import type {
  GenerationFacts,
  GenerationSpan,
  GenerationState,
} from '../../../../src/domain/authority/facts.ts';
import { afterStep, recoverStates } from '../../../../src/domain/authority/states.ts';

const NOW = Date.UTC(2026, 0, 10);
const DAY = 86_400_000;

function span(id: string, madeDaysAgo: number): GenerationSpan {
  const madeMs = NOW - madeDaysAgo * DAY;
  return { id, notBeforeMs: madeMs - 120_000, notAfterMs: madeMs + 30 * DAY };
}

function facts(state: GenerationState, heldLeaves = 0): GenerationFacts {
  return { ...span(state.id, 3), ...state, lastLeafEndsAtMs: undefined, heldLeaves };
}

const SIGNING: GenerationState = { id: 'a', phase: 'signing', preparedAtMs: 1, activatedAtMs: 2 };
const PREPARED: GenerationState = { id: 'b', phase: 'prepared', preparedAtMs: 3, seenSinceMs: 4 };

describe('afterStep', () => {
  it('lets the first one sign, and all others wait', () => {
    const step = { kind: 'make', reason: 'First' } as const;
    expect(afterStep([], step, { nowMs: NOW, madeId: 'a' })).to.deep.equal([
      { id: 'a', phase: 'signing', preparedAtMs: NOW, seenSinceMs: NOW, activatedAtMs: NOW },
    ]);
    expect(afterStep([facts(SIGNING)], step, { nowMs: NOW, madeId: 'b' })).to.deep.equal([
      SIGNING,
      { id: 'b', phase: 'prepared', preparedAtMs: NOW },
    ]);
  });

  it('changes who signs in one step, and counts what is to be replaced', () =>
    expect(
      afterStep(
        [facts(SIGNING, 7), facts(PREPARED)],
        { kind: 'activate', id: 'b', reason: 'Ready', missing: new Map() },
        { nowMs: NOW },
      ),
    ).to.deep.equal([
      { ...SIGNING, phase: 'retiring', retiringSinceMs: NOW, reissueTotal: 7 },
      { ...PREPARED, phase: 'signing', activatedAtMs: NOW },
    ]));

  it('begins to count anew when one that retires is tainted', () => {
    const retiring: GenerationState = {
      ...SIGNING,
      phase: 'retiring',
      retiringSinceMs: 5,
      reissueTotal: 9,
    };
    expect(afterStep([facts(retiring, 4)], { kind: 'taint', id: 'a' }, { nowMs: NOW })).to.deep.equal([
      { ...retiring, taintedAtMs: NOW, reissueTotal: 4 },
    ]);
  });

  it('forgets what is dropped', () =>
    expect(
      afterStep(
        [facts(SIGNING), facts(PREPARED)],
        { kind: 'drop', id: 'b', reason: 'Unused' },
        { nowMs: NOW },
      ),
    ).to.deep.equal([SIGNING]));
});

describe('recoverStates', () => {
  const generations = [span('a', 20), span('b', 10), span('c', 1)];
  const phases = (
    stored: readonly GenerationState[] | undefined,
    haveSigned: readonly string[],
    there: readonly GenerationSpan[] = generations,
  ): readonly string[] =>
    recoverStates(stored, { generations: there, haveSigned: new Set(haveSigned), nowMs: NOW }).map(
      ({ id, phase }) => `${id} ${phase}`,
    );

  it('keeps what was stored; what nobody knows is prepared, what is gone is gone', () =>
    expect(
      recoverStates([SIGNING, { ...PREPARED, id: 'x' }], {
        generations: generations.slice(0, 2),
        haveSigned: new Set(),
        nowMs: NOW,
      }),
    ).to.deep.equal([SIGNING, { id: 'b', phase: 'prepared', preparedAtMs: NOW }]));

  it('lets the youngest sign that has signed, when nothing was stored', () =>
    expect(phases(undefined, ['a', 'b'])).to.deep.equal(['a retiring', 'b signing', 'c prepared']));

  it('lets the oldest sign when none has: every bundle carries it', () =>
    expect(phases(undefined, [])).to.deep.equal(['a signing', 'b prepared', 'c prepared']));

  it('lets none sign whose life is over', () =>
    expect(phases(undefined, ['a'], [span('a', 31), span('b', 10)])).to.deep.equal([
      'a retiring',
      'b signing',
    ]));

  it('believes no state in which none or two sign', () => {
    for (const stored of [[PREPARED], [SIGNING, { ...PREPARED, phase: 'signing' as const }]])
      expect(phases(stored, ['c'])).to.deep.equal(['a retiring', 'b retiring', 'c signing']);
  });

  it('lets none sign when the one that does is not there any more', () =>
    expect(phases([{ ...SIGNING, id: 'x' }], ['x'])).to.deep.equal([
      'a prepared',
      'b prepared',
      'c prepared',
    ]));
});
