import { expect } from 'chai';
import { fenceGraceMs, type IssuerCAFacts, judgeIssuerCA } from '../../../../src/domain/issuance/trust.ts';

const NOW = Date.UTC(2026, 0, 1);
const GRACE = fenceGraceMs(1);
const HOUR = 3_600_000;
const EVER = Number.POSITIVE_INFINITY;

describe('judgeIssuerCA', () => {
  const NEW: IssuerCAFacts = {
    isCurrent: true,
    isFenced: true,
    lastLeafEndsAtMs: undefined,
    sinceMs: undefined,
    unfencedSinceMs: undefined,
  };
  const trustedSince = (sinceMs: number, unfencedSinceMs?: number, nextMs = EVER) => ({
    kind: 'trusted',
    sinceMs,
    unfencedSinceMs,
    nextMs,
  });
  const ROWS: readonly (readonly [string, Partial<IssuerCAFacts>, object])[] = [
    ['trusts a listed one with a fence', {}, trustedSince(NOW)],
    ['does not take one in without a fence', { isFenced: false }, { kind: 'forgotten' }],
    ['keeps since when', { sinceMs: NOW - HOUR }, trustedSince(NOW - HOUR)],
    [
      'keeps one for ten minutes that loses its fence',
      { sinceMs: NOW - HOUR, isFenced: false },
      trustedSince(NOW - HOUR, NOW, NOW + GRACE),
    ],
    [
      'counts them from the first look',
      { sinceMs: NOW - HOUR, isFenced: false, unfencedSinceMs: NOW - GRACE + 1 },
      trustedSince(NOW - HOUR, NOW - GRACE + 1, NOW + 1),
    ],
    [
      'takes it out then, whatever lives of it, and remembers it',
      { sinceMs: NOW - HOUR, isFenced: false, unfencedSinceMs: NOW - GRACE, lastLeafEndsAtMs: NOW + HOUR },
      { kind: 'suspended', sinceMs: NOW - HOUR, unfencedSinceMs: NOW - GRACE, nextMs: EVER },
    ],
    [
      'trusts it again as before when the fence is back in time',
      { sinceMs: NOW - HOUR, unfencedSinceMs: NOW - GRACE + 1 },
      trustedSince(NOW - HOUR),
    ],
    [
      'trusts it since now when the fence is back later',
      { sinceMs: NOW - HOUR, unfencedSinceMs: NOW - GRACE },
      trustedSince(NOW),
    ],
    [
      'keeps one that signs no more until its last leaf ends',
      { isCurrent: false, sinceMs: NOW - HOUR, lastLeafEndsAtMs: NOW + HOUR },
      trustedSince(NOW - HOUR, undefined, NOW + HOUR),
    ],
    [
      'forgets it then',
      { isCurrent: false, sinceMs: NOW - HOUR, lastLeafEndsAtMs: NOW },
      { kind: 'forgotten' },
    ],
    ['forgets one that never signed', { isCurrent: false, sinceMs: NOW - HOUR }, { kind: 'forgotten' }],
    [
      'gives one that signs no more no longer without a fence',
      { isCurrent: false, isFenced: false, sinceMs: NOW - HOUR, lastLeafEndsAtMs: NOW + HOUR },
      trustedSince(NOW - HOUR, NOW, NOW + GRACE),
    ],
    [
      'looks again when the last leaf ends before that',
      { isCurrent: false, isFenced: false, sinceMs: NOW - HOUR, lastLeafEndsAtMs: NOW + 1 },
      trustedSince(NOW - HOUR, NOW, NOW + 1),
    ],
  ];
  for (const [title, facts, trust] of ROWS) {
    it(title, () =>
      expect(judgeIssuerCA({ ...NEW, ...facts }, { nowMs: NOW, graceMs: GRACE })).to.deep.equal(trust),
    );
  }
});
