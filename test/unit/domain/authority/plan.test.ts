import { expect } from 'chai';
import type { GenerationFacts } from '../../../../src/domain/authority/facts.ts';
import { afterStep } from '../../../../src/domain/authority/states.ts';
import {
  DAY,
  generation,
  LACKING,
  MADE,
  MINUTE,
  planAt as plan,
  prepared,
} from '../../../support/authority/planned.ts';

const retiring = (id: string, rest: Partial<GenerationFacts> = {}): GenerationFacts =>
  generation(id, { phase: 'retiring', retiringSinceMs: MADE, ...rest });

describe('planAuthority', () => {
  it('makes the first one', () => expect(plan([], 0).step).to.deep.equal({ kind: 'make', reason: 'First' }));

  it('waits until half of the life, says so, and makes the next one then', () => {
    expect(plan([generation('a')], 11.9)).to.deep.equal({
      step: { kind: 'wait', untilMs: MADE + 12 * DAY },
      excluded: new Map(),
      message: 'Generation a signs; the next one is made at 2026-01-13T00:00:00Z.',
    });
    expect(plan([generation('a')], 12).step).to.deep.equal({ kind: 'make', reason: 'Due' });
  });

  it('waits for what does not carry it, and names it', () => {
    const found = plan([generation('a'), prepared('b', MADE + 12 * DAY)], 12.5, { lacking: () => LACKING });
    expect(found).to.deep.equal({
      step: { kind: 'wait', untilMs: MADE + 13 * DAY },
      excluded: new Map(),
      message:
        'Generation b waits until it is seen everywhere: namespace ai-data (ConfigMap agent-trust-bundle does not carry it).',
    });
  });

  it('notes when it is seen everywhere, and when it is not any more', () => {
    const next = prepared('b', MADE + 12 * DAY);
    const seen = { kind: 'note-seen', id: 'b', isSeen: true };
    expect(plan([generation('a'), next], 12.1).step).to.deep.equal(seen);
    const noted = { ...next, seenSinceMs: MADE + 12 * DAY };
    expect(plan([generation('a'), noted], 12.1, { lacking: () => LACKING }).step).to.deep.equal({
      ...seen,
      isSeen: false,
    });
  });

  it('excludes a namespace after 1/24 of the life', () => {
    const next = prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 13 * DAY });
    const found = plan([generation('a'), next], 14, { lacking: () => LACKING });
    expect(found.excluded).to.equal(LACKING);
    expect(found.step).to.deep.equal({ kind: 'wait', untilMs: MADE + 20 * DAY });
  });

  it('activates at 5/6 of the life, when it was seen for ten minutes', () => {
    const seenSinceMs = MADE + 20 * DAY;
    const generations = [generation('a'), prepared('b', MADE + 12 * DAY, { seenSinceMs })];
    const at = (minutes: number) => plan(generations, 20 + minutes / 1440).step;
    expect(at(9)).to.deep.equal({ kind: 'wait', untilMs: seenSinceMs + 10 * MINUTE });
    expect(at(10)).to.deep.equal({ kind: 'activate', id: 'b', reason: 'Ready', missing: new Map() });
  });

  it('activates at 11/12 of the life whatever is missing', () => {
    const generations = [generation('a'), prepared('b', MADE + 21.9 * DAY)];
    const lacking = () => LACKING;
    expect(plan(generations, 22.5, { lacking }).step.kind).to.equal('wait');
    const late = [generation('a'), prepared('b', MADE + 20.5 * DAY)];
    expect(plan(late, 22, { lacking, isClockTrusted: false }).step).to.include({ kind: 'note-seen' });
    const noted = [generation('a'), prepared('b', MADE + 20.5 * DAY, { seenSinceMs: MADE + 22 * DAY })];
    expect(plan(noted, 22, { lacking }).step).to.deep.equal({
      kind: 'activate',
      id: 'b',
      reason: 'Deadline',
      missing: LACKING,
    });
  });

  it('notes, excludes and activates nothing before anybody has looked', () => {
    const isLookedAt = false;
    const says = 'Generation b waits: namespaces are not looked at yet.';
    const lacking = (): ReadonlyMap<string, string> => LACKING;
    const noted = prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 12 * DAY });
    const unseen = prepared('b', MADE + 12 * DAY);
    for (const next of [noted, unseen])
      for (const days of [12.5, 14, 20, 23.5]) {
        expect(plan([generation('a'), next], days, { isLookedAt, lacking })).to.deep.equal({
          step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY },
          excluded: new Map(),
          message: says,
        });
      }
    // Without anything that signs nothing would ever be looked at.
    expect(plan([noted], 14, { isLookedAt, lacking }).step).to.include({ reason: 'NothingElse' });
  });

  it('activates and drops nothing while clocks disagree', () => {
    const isClockTrusted = false;
    const next = prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 13 * DAY });
    const found = plan([generation('a'), next], 21, { isClockTrusted });
    expect(found.message).to.equal(
      'Generation b waits until this machine and the API server agree about the time.',
    );
    const old = retiring('z');
    expect(plan([old, generation('a')], 11, { isClockTrusted }).step.kind).to.equal('wait');
    expect(plan([old, generation('a')], 11).step).to.deep.equal({ kind: 'drop', id: 'z', reason: 'Retired' });
  });

  it('drops one that retires ten minutes after its last leaf, and not while a Secret holds one', () => {
    const lastLeafEndsAtMs = MADE + DAY;
    const at = (minutes: number, heldLeaves = 0) =>
      plan([retiring('z', { lastLeafEndsAtMs, heldLeaves }), generation('a')], 1 + minutes / 1440).step;
    expect(at(9)).to.deep.equal({ kind: 'wait', untilMs: lastLeafEndsAtMs + 10 * MINUTE });
    expect(at(10)).to.deep.equal({ kind: 'drop', id: 'z', reason: 'Retired' });
    expect(at(10, 1).kind).to.equal('wait');
  });

  it('says when the last certificate of one that retires was replaced', () =>
    expect(plan([retiring('z', { reissueTotal: 3 }), generation('a')], 1).step).to.deep.equal({
      kind: 'reissued',
      id: 'z',
    }));

  it('does not say so where it cannot look, as long as one lives by the ledger', () => {
    const at = (lastLeafEndsAtMs: number | undefined) =>
      plan([retiring('z', { reissueTotal: 3, lastLeafEndsAtMs }), generation('a')], 1, {
        areLeavesSeen: false,
      }).step.kind;
    expect([at(MADE + DAY + 1), at(MADE + DAY), at(undefined)]).to.deep.equal([
      'wait',
      'reissued',
      'reissued',
    ]);
  });

  describe('while the Secret with the keys cannot be written', () => {
    const isSecretWritable = false;
    const step = { kind: 'activate', id: 'b', reason: 'Ready', missing: new Map() };
    const next = prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 12 * DAY });

    it('has the next one sign, whatever is to be dropped', () => {
      const intent = { revoke: new Set(['z']) };
      const revoked = retiring('z', { taintedAtMs: MADE });
      expect(plan([revoked, generation('a'), next], 20, { intent }).step.kind).to.equal('drop');
      expect(plan([revoked, generation('a'), next], 20, { intent, isSecretWritable }).step).to.deep.equal(
        step,
      );
      expect(plan([retiring('z'), generation('a'), next], 20).step.kind).to.equal('drop');
      expect(plan([retiring('z'), generation('a'), next], 20, { isSecretWritable }).step).to.deep.equal(step);
    });

    it('has none sign that is to be dropped itself', () => {
      const unwanted = { ...next, isGiven: true } as const;
      const intent = { rotateBeforeMs: MADE + 13 * DAY };
      expect(plan([generation('a'), unwanted], 20, { intent }).step.kind).to.equal('drop');
      expect(plan([generation('a'), unwanted], 20, { intent, isSecretWritable })).to.deep.equal({
        step: { kind: 'wait', untilMs: Number.POSITIVE_INFINITY },
        excluded: new Map(),
        message: 'The next generation is made as soon as the Secret with the keys can be written.',
      });
    });
  });

  describe('when somebody asks', () => {
    const rotate = { rotateBeforeMs: MADE + DAY };

    it('rotates what began to sign before the instant, from the instant on', () => {
      expect(plan([generation('a')], 0.5, { intent: rotate }).step).to.deep.equal({
        kind: 'wait',
        untilMs: MADE + DAY,
      });
      expect(plan([generation('a')], 1, { intent: rotate }).step).to.deep.equal({
        kind: 'make',
        reason: 'Asked',
      });
      const younger = generation('a', { activatedAtMs: MADE + DAY });
      expect(plan([younger], 2, { intent: rotate }).step.kind).to.equal('wait');
    });

    it('takes the one that is prepared already', () => {
      const generations = [generation('a'), prepared('b', MADE + 12 * DAY, { seenSinceMs: MADE + 12 * DAY })];
      const intent = { rotateBeforeMs: MADE + 13 * DAY };
      expect(plan(generations, 13, { intent }).step).to.deep.equal({
        kind: 'activate',
        id: 'b',
        reason: 'Ready',
        missing: new Map(),
      });
    });

    it('marks what is tainted or revoked, and makes another one before anything else happens to it', () => {
      for (const key of ['taint', 'revoke'] as const) {
        const intent = { [key]: new Set(['a']) };
        expect(plan([generation('a')], 1, { intent }).step).to.deep.equal({ kind: 'taint', id: 'a' });
        const marked = generation('a', { taintedAtMs: MADE });
        const reason = key === 'taint' ? 'Tainted' : 'Revoked';
        expect(plan([marked], 1, { intent }).step).to.deep.equal({ kind: 'make', reason });
      }
    });

    it('says why the only one that can sign is not revoked yet', () => {
      const generations = [
        generation('a', { taintedAtMs: MADE }),
        prepared('b', MADE + DAY, { seenSinceMs: MADE + DAY }),
      ];
      const { step, message } = plan(generations, 1, { intent: { revoke: new Set(['a']) } });
      expect(step.kind).to.equal('wait');
      expect(message).to.equal(
        'Generation a is revoked once b signs in its place; that is seen everywhere and signs from 2026-01-02T00:10:00Z on.',
      );
    });

    it('drops what is revoked and does not sign, whatever holds its leaves; what is tainted and never signed', () => {
      const revoked = retiring('z', { taintedAtMs: MADE, heldLeaves: 9, lastLeafEndsAtMs: MADE + 9 * DAY });
      expect(plan([revoked, generation('a')], 1, { intent: { revoke: new Set(['z']) } }).step).to.deep.equal({
        kind: 'drop',
        id: 'z',
        reason: 'Revoked',
      });
      // Before anything that has to be noted in the state, which may not be writable.
      const unmarked = retiring('y', { heldLeaves: 9, lastLeafEndsAtMs: MADE + 9 * DAY });
      const intent = { taint: new Set(['a']), revoke: new Set(['y']) };
      expect(plan([unmarked, generation('a')], 1, { intent }).step).to.deep.equal({
        kind: 'drop',
        id: 'y',
        reason: 'Revoked',
      });
      const unused = prepared('b', MADE + DAY, { taintedAtMs: MADE + DAY });
      expect(plan([generation('a'), unused], 1).step).to.deep.equal({
        kind: 'drop',
        id: 'b',
        reason: 'Unused',
      });
    });

    it('ends what a taint has begun, although nobody asks for it any more', () => {
      let generations: readonly GenerationFacts[] = [generation('a', { heldLeaves: 3 })];
      const steps: string[] = [];
      for (let minutes = 0; minutes < 60; minutes++) {
        const intent = minutes === 0 ? { taint: new Set(['a']) } : {};
        const nowMs = MADE + minutes * MINUTE;
        const { step } = plan(generations, (minutes * MINUTE) / DAY, { intent });
        if (step.kind !== 'wait') steps.push('id' in step ? `${step.kind} ${step.id}` : step.kind);
        const states = afterStep(generations, step, { nowMs, madeId: 'b' });
        // Another half an hour, and no Secret holds a leaf of it.
        const heldLeaves = minutes < 45 ? 3 : 0;
        generations = states.map((each) => ({ ...generation(each.id, { heldLeaves }), ...each }));
      }
      expect(steps).to.deep.equal(['taint a', 'make', 'note-seen b', 'activate b', 'reissued a', 'drop a']);
    });

    it('makes no more than six', () => {
      const intent = { taint: new Set(['a']) };
      const many = ['u', 'v', 'w', 'x', 'y'].map((id) => retiring(id, { lastLeafEndsAtMs: MADE + 5 * DAY }));
      const found = plan([...many, generation('a', { taintedAtMs: MADE })], 1, { intent });
      expect(found.step).to.deep.equal({ kind: 'wait', untilMs: MADE + 5 * DAY + 10 * MINUTE });
      expect(found.message).to.equal(
        'Another generation is made when one of the 6 there are is retired: the leaves of u are not over yet.',
      );
    });
  });

  describe('when nothing can sign', () => {
    it('takes the youngest that everybody knows, and only then one that nobody has seen', () => {
      const unseen = prepared('c', MADE + DAY);
      const step = { kind: 'activate', reason: 'NothingElse', missing: new Map() };
      expect(plan([retiring('z'), unseen], 1).step).to.deep.equal({ ...step, id: 'z' });
      expect(plan([generation('a'), unseen], 24, { lacking: () => LACKING }).step).to.deep.equal({
        ...step,
        id: 'c',
        missing: LACKING,
      });
    });

    it('makes another one when all are over or revoked', () => {
      expect(plan([generation('a')], 24).step).to.deep.equal({ kind: 'make', reason: 'Due' });
      const intent = { revoke: new Set(['z']) };
      expect(plan([retiring('z', { taintedAtMs: MADE })], 1, { intent }).step).to.deep.equal({
        kind: 'make',
        reason: 'First',
      });
    });
  });
});
