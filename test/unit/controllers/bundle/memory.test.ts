import { expect } from 'chai';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import { digestsOf } from '../../../../src/controllers/bundle/bundle-record.ts';
import type { BundleFindings } from '../../../../src/controllers/bundle/judge.ts';
import { BundleMemory } from '../../../../src/controllers/bundle/memory.ts';
import type { Revocation } from '../../../../src/domain/token/state/revocations-file.ts';
import { storedAuthority } from '../../crypto/fixture.ts';

const ENTRY = { tokenID: 'j', until: 9 };
const LISTS = 'lists of revoked certificates';
const TEXT = JSON.stringify({ version: 1, suspended: [], notBefore: {}, revocations: [ENTRY] });

/** The sequence of a bundle that is written then. */
function writtenAt(memory: BundleMemory, nowMs: number): number {
  const sequence = memory.nextSequence('a', 0, nowMs);
  memory.wrote('a', sequence);
  return sequence;
}

describe('BundleMemory', () => {
  it('gives sequences that only grow, whatever the clock says', () => {
    const memory = new BundleMemory(() => 0);
    expect([10, 10, 5, 20].map((nowMs) => writtenAt(memory, nowMs))).to.deep.equal([10, 11, 12, 20]);
    expect(memory.nextSequence('b', 99, 20)).to.equal(100);
  });

  it('counts no sequence that is more than a year ahead, seen or given', () => {
    const memory = new BundleMemory(() => 0);
    const day = 86_400_000;
    expect(memory.nextSequence('a', Number.MAX_SAFE_INTEGER, 10)).to.equal(10);
    expect(memory.nextSequence('a', 366 * day + 10, 10)).to.equal(366 * day + 11);
    memory.wrote('a', 366 * day + 11);
    expect(memory.nextSequence('a', 0, 11)).to.equal(366 * day + 12);
    memory.wrote('b', 367 * day);
    expect(memory.nextSequence('b', 0, 10)).to.equal(10);
  });

  it('knows a bundle that was replaced already', () => {
    const memory = new BundleMemory(() => 0);
    expect(memory.isOlder('a', 1)).to.equal(false);
    memory.wrote('a', 10);
    expect([9, 10, 11].map((sequence) => memory.isOlder('a', sequence))).to.deep.equal([true, false, false]);
  });

  it('takes what stands there for no older one when a write has failed', () => {
    const memory = new BundleMemory(() => 0);
    memory.wrote('a', 10);
    memory.nextSequence('a', 10, 20);
    expect(memory.isOlder('a', 10)).to.equal(false);
  });

  it('says how long ago a bundle was written', () => {
    let now = 0;
    const memory = new BundleMemory(() => now);
    expect(memory.sinceWriteMs('a')).to.equal(Number.POSITIVE_INFINITY);
    memory.wrote('a', 1);
    now = 7;
    expect(memory.sinceWriteMs('a')).to.equal(7);
  });

  it('knows the roots that are trusted no more for as long as a bundle lives', () => {
    let now = 0;
    const memory = new BundleMemory(() => now);
    const [dropped, kept] = [storedAuthority().certificatePem, storedAuthority().certificatePem];
    expect(memory.formerPem(dropped + kept)).to.equal('');
    now = 1_800_000;
    expect(memory.formerPem(kept)).to.equal(dropped.trimEnd());
    now += 1;
    expect(memory.formerPem(kept)).to.equal('');
  });

  it('tells when a bundle has more revocations than before', () => {
    const memory = new BundleMemory(() => 0);
    let told = 0;
    memory.onPublished(() => told++);
    expect(memory.hasPublished('a', 0)).to.equal(false);
    memory.published('a', 1);
    memory.published('a', 1);
    memory.published('a', 2);
    expect(told).to.equal(2);
    expect([1, 2, 3].map((revision) => memory.hasPublished('a', revision))).to.deep.equal([
      true,
      true,
      false,
    ]);
  });

  describe('adoptOnce', () => {
    const claims = {
      sequence: 1,
      iat: 1,
      exp: 2,
      aud: 'a',
      files: digestsOf({ 'revocations.json': TEXT, 'ca.crl': LISTS }),
    };

    const WHOLE: BundleFindings = { claims, wrong: undefined };
    const UNREAD: BundleFindings = { claims: undefined, wrong: 'its data were altered' };

    async function adopted(
      text: string,
      crl: string = LISTS,
      looks: readonly (BundleFindings | 'written' | undefined)[] = [WHOLE, WHOLE],
    ): Promise<readonly (readonly Revocation[] | string)[]> {
      const memory = new BundleMemory(() => 0);
      const calls: (readonly Revocation[] | string)[] = [];
      const store = {
        find: async (): Promise<ConfigMap> => ({
          metadata: { name: 'x' },
          data: { 'revocations.json': text, 'ca.crl': crl },
        }),
      };
      const revocations = { adopt: (entries: readonly Revocation[]) => void calls.push(entries) };
      const lists = { adopt: (read: string) => void calls.push(read) };
      for (const found of looks)
        if (found === 'written') memory.wrote('a', 1);
        else await memory.adoptOnce('a', found, { store, revocations, lists });
      return calls;
    }

    it('takes over what was signed, once', async () => {
      expect(await adopted(TEXT)).to.deep.equal([[ENTRY], LISTS]);
    });

    it('looks again when the bundle could not be read', async () => {
      expect(await adopted(TEXT, LISTS, [UNREAD, WHOLE, WHOLE])).to.deep.equal([[ENTRY], LISTS]);
    });

    it('looks again when none was seen: it may lack the label that it is found by', async () => {
      expect(await adopted(TEXT, LISTS, [undefined, WHOLE])).to.deep.equal([[ENTRY], LISTS]);
    });

    it('takes nothing over of a bundle that this process has written', async () => {
      expect(await adopted(TEXT, LISTS, [undefined, 'written', WHOLE])).to.deep.equal([]);
    });

    it('takes nothing over that was not signed', async () => {
      expect(await adopted(TEXT.replace('"j"', '"k"'), 'other lists')).to.deep.equal([[], '']);
    });
  });

  it('forgets all of a namespace', () => {
    const memory = new BundleMemory(() => 0);
    memory.named.set('a', ['a/x']);
    memory.wrote('a', 10);
    memory.published('a', 1);
    memory.forget('a');
    expect([...memory.named.bundlesOf('a/x')]).to.deep.equal([]);
    expect(memory.isOlder('a', 1)).to.equal(false);
    expect(memory.hasPublished('a', 0)).to.equal(false);
    expect(memory.sinceWriteMs('a')).to.equal(Number.POSITIVE_INFINITY);
  });
});
