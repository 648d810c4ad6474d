import { expect } from 'chai';
import { Attempts } from '../../../../src/controllers/identity/attempts.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60_000;
const KEY = 'ai-agents/agent-deployer';

describe('Attempts', () => {
  let attempts: Attempts;
  const failed = (generation: number, nowMs = NOW, notAfterMs?: number) =>
    attempts.failed(KEY, { nowMs, generation, notAfterMs });

  beforeEach(() => {
    attempts = new Attempts(() => 0.5);
  });

  describe('failed', () => {
    it('counts the failures of one generation, and waits twice as long after each', () => {
      expect([failed(1), failed(1, NOW + MINUTE), failed(1, NOW + 2 * MINUTE)]).to.deep.equal([
        { failure: { attempts: 1, lastFailureMs: NOW }, retryAtMs: NOW + 5 * SECOND },
        { failure: { attempts: 2, lastFailureMs: NOW + MINUTE }, retryAtMs: NOW + MINUTE + 10 * SECOND },
        {
          failure: { attempts: 3, lastFailureMs: NOW + 2 * MINUTE },
          retryAtMs: NOW + 2 * MINUTE + 20 * SECOND,
        },
      ]);
    });

    it('begins anew with another generation', () => {
      failed(1);
      failed(1);
      expect(failed(2)).to.deep.equal({
        failure: { attempts: 1, lastFailureMs: NOW },
        retryAtMs: NOW + 5 * SECOND,
      });
    });

    it('begins anew after a success', () => {
      failed(1);
      failed(1);
      attempts.succeeded(KEY);
      expect(failed(1).failure.attempts).to.equal(1);
    });

    it('tries sooner when the leaf in use is about to end', () => {
      expect(failed(1, NOW, NOW + 4 * SECOND).retryAtMs).to.equal(NOW + 2 * SECOND);
    });

    it('counts each key for itself', () => {
      failed(1);
      const other = attempts.failed('ai-agents/other', { nowMs: NOW, generation: 1, notAfterMs: undefined });
      expect(other.failure.attempts).to.equal(1);
    });
  });

  describe('carried', () => {
    it('remembers the last bundle alone, and by key', () => {
      attempts.carried(KEY, 'old');
      attempts.carried(KEY, 'new');
      const asked = [
        [KEY, 'old'],
        [KEY, 'new'],
        ['ai-agents/other', 'new'],
      ] as const;
      expect(asked.map(([key, sha256]) => attempts.hasCarried(key, sha256))).to.deep.equal([
        false,
        true,
        false,
      ]);
    });
  });

  describe('unanswered', () => {
    it('counts until an attempt succeeds', () => {
      const counts = [attempts.unanswered(KEY), attempts.unanswered(KEY)];
      attempts.succeeded(KEY);
      expect([...counts, attempts.unanswered(KEY)]).to.deep.equal([1, 2, 1]);
    });

    it('is counted beside failures', () => {
      failed(1);
      expect(attempts.unanswered(KEY)).to.equal(1);
      expect(failed(1).failure.attempts).to.equal(2);
    });
  });

  describe('pauseUntilMs', () => {
    it('gives nothing for the first rounds, and an instant after six within an hour', () => {
      const pauses = Array.from({ length: 7 }, (_, round) => {
        const nowMs = NOW + round * SECOND;
        const pause = attempts.pauseUntilMs(KEY, nowMs);
        attempts.mended(KEY, nowMs);
        return pause;
      });
      expect(pauses).to.deep.equal([
        ...Array.from({ length: 6 }, () => undefined),
        NOW + 5 * SECOND + 30 * SECOND,
      ]);
    });

    it('forgets rounds after an hour', () => {
      for (let round = 0; round < 6; round++) attempts.mended(KEY, NOW);
      expect(attempts.pauseUntilMs(KEY, NOW + SECOND)).to.equal(NOW + 30 * SECOND);
      attempts.mended(KEY, NOW + 61 * MINUTE);
      expect(attempts.pauseUntilMs(KEY, NOW + 61 * MINUTE)).to.equal(undefined);
    });
  });

  it('remembers when a leaf was written and when a key was taken away, until the identity is gone', () => {
    const remembered = (): readonly unknown[] => [attempts.lastIssuedAtMs(KEY), attempts.wipedAtMs(KEY)];
    expect(remembered()).to.deep.equal([undefined, undefined]);
    attempts.issued(KEY, NOW);
    attempts.wiped(KEY, NOW + 1);
    failed(1);
    attempts.succeeded(KEY);
    expect(remembered()).to.deep.equal([NOW, NOW + 1]);
    attempts.forget(KEY);
    expect(remembered()).to.deep.equal([undefined, undefined]);
  });
});
