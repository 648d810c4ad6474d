import { expect } from 'chai';
import fc from 'fast-check';
import {
  isListed,
  listedLeaves,
  missingIdentities,
  type RevokedLeaf,
  revokedLeaf,
} from '../../../../src/domain/crl/revoked-leaves.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const GENERATION = 'aaaaaaaaaaaaaaaa';

function line(n: number, changes: Partial<LedgerLine> = {}): LedgerLine {
  return {
    identityUid: `uid-${n}`,
    namespace: 'ai-agents',
    serviceAccountName: `agent-${n}`,
    serialHex: n.toString(16).padStart(32, '1'),
    notAfterMs: NOW + HOUR,
    generation: GENERATION,
    ...changes,
  };
}

const leaf = (n: number, changes: Partial<RevokedLeaf> = {}): RevokedLeaf => ({
  ...revokedLeaf(line(n), 'ended', NOW),
  ...changes,
});

describe('revokedLeaf', () => {
  it('says why and since when, in whole seconds', () => {
    const { identityUid: _, serviceAccountName: __, ...kept } = line(1);
    expect(revokedLeaf(line(1), 'suspended', NOW + 1234)).to.deep.equal({
      ...kept,
      revokedAtMs: NOW + 1000,
      reason: 'privilegeWithdrawn',
    });
    expect(revokedLeaf(line(1), 'ended', NOW).reason).to.equal('cessationOfOperation');
  });
});

describe('isListed', () => {
  it('keeps a leaf for a list that is signed after its end, RFC 5280 section 5, and no longer', () => {
    const end = NOW + HOUR;
    const at = (nowMs: number): boolean => isListed({ notAfterMs: end }, nowMs);
    expect([at(end), at(end + 89 * 60_000), at(end + 90 * 60_000)]).to.deep.equal([true, true, false]);
  });
});

describe('missingIdentities', () => {
  const known = { isKnown: (uid: string) => uid === 'uid-1', isRevoked: () => false, nowMs: NOW };

  it('names those with live leaves that nobody knows, by namespace', () => {
    const lines = [line(1), line(2), line(2, { serialHex: 'ff' }), line(3, { namespace: 'other' })];
    expect(missingIdentities(lines, known)).to.deep.equal(
      new Map([
        ['ai-agents', new Set(['uid-2'])],
        ['other', new Set(['uid-3'])],
      ]),
    );
  });

  it('names none whose leaves have ended or are revoked', () => {
    const lines = [line(2, { notAfterMs: NOW - 1000 }), line(3)];
    const isRevoked = (serialHex: string): boolean => serialHex === line(3).serialHex;
    expect(missingIdentities(lines, { ...known, isRevoked })).to.deep.equal(new Map());
  });
});

describe('listedLeaves', () => {
  it('lists by generation, sorted, without what is over', () => {
    const other = leaf(3, { generation: 'bbbbbbbbbbbbbbbb' });
    const over = leaf(4, { notAfterMs: NOW - 2 * HOUR });
    expect(listedLeaves([leaf(2), other, over, leaf(1)], NOW)).to.deep.equal({
      byGeneration: new Map([
        [GENERATION, [leaf(1), leaf(2)]],
        ['bbbbbbbbbbbbbbbb', [other]],
      ]),
      leftOut: 0,
    });
  });

  it('gives every namespace the same room when there are too many, for the leaves that live longest', () => {
    const flood = Array.from({ length: 50 }, (_, at) =>
      leaf(at, { namespace: 'loud', notAfterMs: NOW + at }),
    );
    const quiet = [leaf(100), leaf(101)];
    const { byGeneration, leftOut } = listedLeaves([...flood, ...quiet], NOW, 10);
    const listed = byGeneration.get(GENERATION) ?? [];
    expect(leftOut).to.equal(42);
    expect(listed.filter(({ namespace }) => namespace === 'ai-agents')).to.deep.equal(quiet);
    expect(listed.filter(({ namespace }) => namespace === 'loud')).to.deep.equal(flood.slice(-8));
  });

  it('never lists more than there is room for, nor leaves room unused', () => {
    const some = fc.array(
      fc.record({
        namespace: fc.constantFrom('a', 'b', 'c', undefined),
        life: fc.integer({ min: 0, max: 9 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 40 }), (drawn, most) => {
        const leaves = drawn.map(({ namespace, life }, at) =>
          leaf(at, { namespace, notAfterMs: NOW + life }),
        );
        const { byGeneration, leftOut } = listedLeaves(leaves, NOW, most);
        const listed = [...byGeneration.values()].flat();
        expect(listed.length).to.equal(Math.min(most, leaves.length));
        expect(leftOut).to.equal(leaves.length - listed.length);
        expect(new Set(listed).size).to.equal(listed.length);
      }),
    );
  });
});
