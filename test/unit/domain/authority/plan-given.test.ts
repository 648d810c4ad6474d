import { expect } from 'chai';
import { type GenerationFacts, type GivenFacts, NO_INTENT } from '../../../../src/domain/authority/facts.ts';
import { isRefusedForGood } from '../../../../src/domain/authority/given-choice.ts';
import { authorityPeriods, scheduleOfGiven } from '../../../../src/domain/authority/periods.ts';
import { type AuthorityPlanInput, planAuthority } from '../../../../src/domain/authority/plan.ts';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DAY = 86_400_000;
const [OWN, ONE, TWO] = ['0000000000000000', '1111111111111111', '2222222222222222'];
const REFUSED: GivenFacts = {
  kind: 'refused',
  message: 'Expired: tls.crt: it ended. Give one that is valid',
};

function generation(id: string, changes: Partial<GenerationFacts> = {}): GenerationFacts {
  return {
    id,
    phase: 'signing',
    preparedAtMs: NOW - DAY,
    seenSinceMs: NOW - DAY,
    activatedAtMs: NOW - DAY,
    notBeforeMs: NOW - DAY - 2 * MINUTE,
    notAfterMs: NOW + 29 * DAY,
    lastLeafEndsAtMs: NOW + DAY,
    heldLeaves: 3,
    ...changes,
  };
}

/** From an authority of ten years of which nine are over. */
function given(id: string, changes: Partial<GenerationFacts> = {}): GenerationFacts {
  const span = { notBeforeMs: NOW - 3_285 * DAY, notAfterMs: NOW + 365 * DAY };
  return generation(id, { ...span, isGiven: true, ...changes });
}

const prepared = {
  phase: 'prepared',
  activatedAtMs: undefined,
  heldLeaves: 0,
  lastLeafEndsAtMs: undefined,
} as const;
const good = (id: string): GivenFacts => ({ kind: 'good', id });

function planOf(
  generations: readonly GenerationFacts[],
  wanted: GivenFacts | undefined,
  changes: Partial<AuthorityPlanInput> = {},
): ReturnType<typeof planAuthority> {
  return planAuthority({
    nowMs: NOW,
    isClockTrusted: true,
    periods: authorityPeriods({ lifeMs: 30 * DAY, acceleration: 1 }),
    generations,
    intent: NO_INTENT,
    given: wanted,
    takenOverAtMs: 0,
    isLookedAt: true,
    ...{ isIntentRead: true, isSecretWritable: true, areLeavesSeen: true },
    lacking: () => new Map(),
    ...changes,
  });
}

describe('planAuthority, with an authority that is given', () => {
  it('begins with it', () => {
    expect(planOf([], good(ONE)).step).to.deep.equal({ kind: 'make', reason: 'First' });
  });

  it('begins with nothing as long as it is refused, and says why', () => {
    expect(planOf([], REFUSED)).to.deep.equal({
      step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY },
      excluded: new Map(),
      message: `No generation is made, since the one that is given cannot be used. ${REFUSED.message}.`,
    });
  });

  it('leaves it alone while it signs, however old it is', () => {
    const { step, message } = planOf([given(ONE)], good(ONE));
    expect(step.kind).to.equal('wait');
    expect(message).to.equal(`Generation ${ONE} signs; the next one is the next that is given.`);
  });

  for (const [what, signing] of Object.entries({
    'one of ours': generation(OWN),
    'another that was given': given(ONE),
  })) {
    it(`takes another in the place of ${what}, through the same gates`, () => {
      expect(planOf([signing], good(TWO)).step).to.deep.equal({ kind: 'make', reason: 'Given' });
      const next = given(TWO, { ...prepared, preparedAtMs: NOW, seenSinceMs: undefined });
      const lacking = (): ReadonlyMap<string, string> => new Map([['ai', 'nothing']]);
      expect(planOf([signing, next], good(TWO), { lacking }).step.kind).to.equal('wait');
      expect(planOf([signing, next], good(TWO)).step).to.deep.equal({
        kind: 'note-seen',
        id: TWO,
        isSeen: true,
      });
      const seen = { ...next, seenSinceMs: NOW };
      const early = planOf([signing, seen], good(TWO), { nowMs: NOW + 10 * MINUTE - 1 });
      expect(early.step.kind).to.equal('wait');
      expect(planOf([signing, seen], good(TWO), { nowMs: NOW + 10 * MINUTE }).step).to.deep.equal({
        kind: 'activate',
        id: TWO,
        reason: 'Ready',
        missing: new Map(),
      });
    });
  }

  it('keeps what signs while the new one is refused', () => {
    expect(planOf([given(ONE)], REFUSED).step.kind).to.equal('wait');
    expect(planOf([generation(OWN)], REFUSED).step.kind).to.equal('wait');
  });

  it('goes on with its own course while the new one is refused', () => {
    const old = generation(OWN, { notBeforeMs: NOW - 16 * DAY, notAfterMs: NOW + 14 * DAY });
    expect(planOf([old], REFUSED).step).to.deep.equal({ kind: 'make', reason: 'Due' });
  });

  it('makes nothing in the place of one that was given and ends', () => {
    const ending = given(ONE, { preparedAtMs: NOW - 300 * DAY, notAfterMs: NOW + 3 * DAY });
    const { step, message } = planOf([ending], good(ONE));
    expect(step.kind).to.equal('wait');
    expect(message).to.equal(
      `Generation ${ONE} is the one that is given; the next one is made when its Secret holds another authority.`,
    );
  });

  it('makes nothing when it is tainted or revoked: the next one has to be given', () => {
    const intent = { ...NO_INTENT, revoke: new Set([ONE]) };
    const tainted = given(ONE, { taintedAtMs: NOW });
    expect(planOf([tainted], good(ONE), { intent }).step.kind).to.equal('wait');
    expect(planOf([tainted], good(TWO), { intent }).step).to.deep.equal({ kind: 'make', reason: 'Revoked' });
  });

  for (const key of ['taint', 'revoke'] as const) {
    it(`does not take what is asked away by ${key} again, and says that another is to be given`, () => {
      const intent = { ...NO_INTENT, [key]: new Set([TWO]) };
      expect(planOf([generation(OWN)], good(TWO), { intent }).step.kind).to.equal('wait');
      expect(planOf([], good(TWO), { intent })).to.deep.include({
        step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY },
        message: `No generation is made, since the one that is given cannot be used. Generation ${TWO} is tainted or revoked: give another one.`,
      });
      expect(planOf([given(ONE)], good(TWO), { intent }).step.kind).to.equal('wait');
    });
  }

  it('takes none while nobody knows what is asked for, and keeps what there is', () => {
    const isIntentRead = false;
    expect(planOf([], good(TWO), { isIntentRead })).to.deep.include({
      step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY },
      message: `No generation is made, since the one that is given cannot be used. Generation ${TWO} is not taken as long as ConfigMap agent-trust-authority cannot be read.`,
    });
    expect(planOf([generation(OWN)], good(TWO), { isIntentRead }).step.kind).to.equal('wait');
    const next = given(TWO, { ...prepared, preparedAtMs: NOW - DAY, seenSinceMs: NOW - DAY });
    expect(planOf([generation(OWN), next], good(TWO), { isIntentRead }).step).to.deep.include({
      kind: 'activate',
      id: TWO,
    });
  });

  it('drops what was to sign next when another is given before', () => {
    const next = given(TWO, { ...prepared, preparedAtMs: NOW });
    const dropped = { kind: 'drop', id: TWO, reason: 'Unused' };
    expect(planOf([given(ONE), next], good(ONE)).step).to.deep.equal(dropped);
    expect(planOf([generation(OWN), next], undefined).step).to.deep.equal(dropped);
  });

  it('makes one of its own again when none is given any more', () => {
    expect(planOf([given(ONE)], undefined).step).to.deep.equal({ kind: 'make', reason: 'Withdrawn' });
  });

  it('is not forced early by an authority whose life is nearly over on paper', () => {
    const next = given(TWO, { ...prepared, preparedAtMs: NOW, seenSinceMs: undefined });
    const lacking = (): ReadonlyMap<string, string> => new Map([['ai', 'nothing']]);
    const later = planOf([given(ONE), next], good(TWO), { lacking, nowMs: NOW + DAY });
    expect(later.step.kind).to.equal('wait');
  });
});

describe('isRefusedForGood', () => {
  const drop = (reason: 'Retired' | 'Revoked' | 'Unused') => ({ kind: 'drop', id: ONE, reason }) as const;

  it('accepts nothing again that is revoked, or was tainted', () => {
    expect(isRefusedForGood(drop('Revoked'), [given(ONE)])).to.equal(true);
    for (const reason of ['Retired', 'Unused'] as const)
      expect(isRefusedForGood(drop(reason), [given(ONE, { taintedAtMs: NOW })])).to.equal(true);
  });

  it('lets what went in its course come back, and is not about those that are made here', () => {
    for (const reason of ['Retired', 'Unused'] as const)
      expect(isRefusedForGood(drop(reason), [given(ONE), given(TWO, { taintedAtMs: NOW })])).to.equal(false);
    expect(isRefusedForGood(drop('Revoked'), [generation(ONE, { taintedAtMs: NOW })])).to.equal(false);
  });
});

describe('scheduleOfGiven', () => {
  it('begins when the authority is met, and waits for a namespace as long as with one of ours', () => {
    const periods = authorityPeriods({ lifeMs: 30 * DAY, acceleration: 1 });
    const schedule = scheduleOfGiven({ preparedAtMs: NOW, notAfterMs: NOW + 120 * DAY }, periods);
    expect(schedule).to.deep.equal({
      prepareAtMs: NOW + 60 * DAY,
      activateAtMs: NOW + 100 * DAY,
      deadlineMs: NOW + 110 * DAY,
      lastResortMs: NOW + 115 * DAY,
      excludeAfterMs: 30 * 3_600_000,
    });
  });
});
