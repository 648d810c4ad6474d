import { expect } from 'chai';
import { RevocationLists, type RevokedSource } from '../../../../src/controllers/crl/revocation-lists.ts';
import type { AdoptedLeaf } from '../../../../src/controllers/crl/revoked-book.ts';
import { isSignedBy, readRevocationLists } from '../../../../src/crypto/crl-reader.ts';
import type { RevokedLeaf } from '../../../../src/domain/crl/revoked-leaves.ts';
import { storedAuthority, T0 } from '../../crypto/fixture.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

const [one, two] = [storedAuthority(), storedAuthority()];

function leafOf(n: number, generation: string = one.id): RevokedLeaf {
  const serialHex = n.toString(16).padStart(32, '1');
  const reason = 'privilegeWithdrawn';
  return { serialHex, generation, namespace: 'a', revokedAtMs: T0, notAfterMs: T0 + 24 * HOUR, reason };
}

/** What one leader has. */
class Leader implements RevokedSource {
  nowMs: number;
  generations: readonly (typeof one)[] = [one];
  revision = 0;
  readonly adopted: AdoptedLeaf[] = [];
  readonly lists: RevocationLists;
  #leaves: readonly RevokedLeaf[];

  constructor(nowMs: number, leaves: readonly RevokedLeaf[] = []) {
    this.nowMs = nowMs;
    this.#leaves = leaves;
    const generations = (): readonly (typeof one)[] => this.generations;
    this.lists = new RevocationLists({ revoked: this, generations, nowMs: () => this.nowMs });
  }

  entries(): Iterable<RevokedLeaf> {
    return this.#leaves;
  }

  adopt(found: readonly AdoptedLeaf[]): void {
    this.adopted.push(...found);
  }

  revoke(...leaves: readonly RevokedLeaf[]): void {
    this.#leaves = leaves;
    this.revision++;
  }

  pem(trusted: readonly { readonly id: string }[] = this.generations): string {
    const facts = trusted.map(({ id }) => ({ id, notBeforeMs: 0, notAfterMs: 0, retiring: undefined }));
    return this.lists.pem({ trusted: facts });
  }
}

function numbersOf(text: string): readonly number[] {
  return (readRevocationLists(Buffer.from(text)) ?? []).map(({ number }) => number);
}

function serialsOf(text: string): readonly (readonly string[])[] {
  return (readRevocationLists(Buffer.from(text)) ?? []).map(({ entries }) => [...entries.keys()]);
}

describe('RevocationLists', () => {
  it('signs one list for each trusted generation, also when nothing is revoked', () => {
    const leader = new Leader(T0);
    leader.generations = [one, two];
    leader.revoke(leafOf(1, two.id));
    const lists = readRevocationLists(Buffer.from(leader.pem())) ?? [];
    expect(lists.map(({ entries }) => entries.size)).to.deep.equal([0, 1]);
    expect(
      [one, two].map(({ certificate }, at) => lists[at] && isSignedBy(lists[at], certificate)),
    ).to.deep.equal([true, true]);
    expect(lists.map(({ thisUpdateMs, nextUpdateMs }) => [thisUpdateMs, nextUpdateMs])).to.deep.equal(
      [1, 2].map(() => [T0 - 2 * MINUTE, T0 + 7 * 24 * HOUR]),
    );
    expect(numbersOf(leader.pem([two])).length).to.equal(1);
  });

  it('lists nothing that another authority has signed, and gives it no room', () => {
    const leader = new Leader(T0, [leafOf(1, two.id), leafOf(2)]);
    expect(serialsOf(leader.pem())).to.deep.equal([[leafOf(2).serialHex]]);
    expect(leader.lists.counts).to.deep.equal({ listed: 1, leftOut: 0 });
  });

  it('signs one list for two certificates of one key', () => {
    const leader = new Leader(T0);
    leader.generations = [one, { ...one, id: 'cccccccccccccccc' }];
    leader.revoke(leafOf(1), leafOf(2, 'cccccccccccccccc'));
    expect(serialsOf(leader.pem())).to.deep.equal([[leafOf(1).serialHex, leafOf(2).serialHex]]);
  });

  it('keeps what is signed for an hour, and as long as nothing else is revoked', () => {
    const leader = new Leader(T0, [leafOf(1)]);
    const first = leader.pem();
    leader.nowMs = T0 + HOUR - 1000;
    expect(leader.pem()).to.equal(first);
    leader.nowMs = T0 + HOUR;
    const second = leader.pem();
    expect(numbersOf(second)).to.deep.equal([T0 + HOUR]);
    leader.revoke(leafOf(1));
    expect(leader.pem()).to.equal(second);
    leader.revoke(leafOf(1), leafOf(2));
    expect(numbersOf(leader.pem())).to.deep.equal([T0 + HOUR + 1]);
    expect(leader.lists.counts).to.deep.equal({ listed: 2, leftOut: 0 });
  });

  it('counts on when the clock goes back', () => {
    const leader = new Leader(T0);
    leader.pem();
    leader.nowMs = T0 - HOUR;
    leader.revoke(leafOf(1));
    expect(numbersOf(leader.pem())).to.deep.equal([T0 + 1]);
  });

  describe('adopt', () => {
    it('keeps lists of an earlier leader that say what they should', () => {
      const earlier = new Leader(T0, [leafOf(1)]);
      const text = earlier.pem();
      const leader = new Leader(T0 + 10 * MINUTE, [leafOf(1)]);
      leader.lists.adopt(text);
      expect(leader.pem()).to.equal(text);
      const { namespace: _, notAfterMs: __, ...entry } = leafOf(1);
      expect(leader.adopted).to.deep.equal([entry]);
    });

    it('counts on from their number, also when the clock of the earlier leader was ahead', () => {
      const text = new Leader(T0 + 5 * MINUTE, [leafOf(1)]).pem();
      const leader = new Leader(T0, [leafOf(1), leafOf(2)]);
      leader.lists.adopt(text);
      expect(numbersOf(leader.pem())).to.deep.equal([T0 + 5 * MINUTE + 1]);
    });

    it('takes the newest of several, and signs anew what is an hour old', () => {
      const earlier = new Leader(T0, [leafOf(1)]);
      const old = earlier.pem();
      earlier.nowMs = T0 + HOUR;
      const newer = earlier.pem();
      const leader = new Leader(T0 + HOUR + MINUTE, [leafOf(1)]);
      leader.lists.adopt(old);
      expect(numbersOf(leader.pem())).to.deep.equal([T0 + HOUR + MINUTE]);
      const other = new Leader(T0 + HOUR + MINUTE, [leafOf(1)]);
      for (const text of [newer, old]) other.lists.adopt(text);
      expect(other.pem()).to.equal(newer);
    });

    it('takes nothing of an authority that is not ours', () => {
      const stranger = new Leader(T0, [leafOf(1, two.id)]);
      stranger.generations = [two];
      const leader = new Leader(T0);
      leader.lists.adopt(stranger.pem());
      leader.lists.adopt('no lists');
      expect(leader.adopted).to.deep.equal([]);
      expect(serialsOf(leader.pem())).to.deep.equal([[]]);
    });

    it('signs anew when a generation has come', () => {
      const text = new Leader(T0).pem();
      const leader = new Leader(T0);
      leader.generations = [one, two];
      leader.lists.adopt(text);
      expect(numbersOf(leader.pem())).to.deep.equal([T0 + 1, T0 + 1]);
    });
  });
});
