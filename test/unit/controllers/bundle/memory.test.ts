import { expect } from 'chai';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import { digestsOf } from '../../../../src/controllers/bundle/bundle-record.ts';
import { BundleMemory } from '../../../../src/controllers/bundle/memory.ts';
import type { Revocation } from '../../../../src/domain/token/state/revocations-file.ts';

const ENTRY = { tokenID: 'j', until: 9 };
const LISTS = 'lists of revoked certificates';
const TEXT = JSON.stringify({ version: 1, suspended: [], notBefore: {}, revocations: [ENTRY] });

describe('BundleMemory', () => {
  it('gives sequences that only grow, whatever the clock says', () => {
    const memory = new BundleMemory(() => 0);
    expect([10, 10, 5, 20].map((nowMs) => memory.nextSequence('a', 0, nowMs))).to.deep.equal([
      10, 11, 12, 20,
    ]);
    expect(memory.nextSequence('b', 99, 20)).to.equal(100);
  });

  it('knows a bundle that was replaced already', () => {
    const memory = new BundleMemory(() => 0);
    expect(memory.isOlder('a', 1)).to.equal(false);
    memory.nextSequence('a', 0, 10);
    expect([9, 10, 11].map((sequence) => memory.isOlder('a', sequence))).to.deep.equal([true, false, false]);
  });

  it('says how long ago a bundle was written', () => {
    let now = 0;
    const memory = new BundleMemory(() => now);
    expect(memory.sinceWriteMs('a')).to.equal(Number.POSITIVE_INFINITY);
    memory.wrote('a');
    now = 7;
    expect(memory.sinceWriteMs('a')).to.equal(7);
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

    async function adopted(
      text: string,
      crl: string = LISTS,
    ): Promise<readonly (readonly Revocation[] | string)[]> {
      const found = { claims, wrong: undefined };
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
      for (let times = 0; times < 2; times++)
        await memory.adoptOnce('a', found, { store, revocations, lists });
      return calls;
    }

    it('takes over what was signed, once', async () => {
      expect(await adopted(TEXT)).to.deep.equal([[ENTRY], LISTS]);
    });

    it('takes nothing over that was not signed', async () => {
      expect(await adopted(TEXT.replace('"j"', '"k"'), 'other lists')).to.deep.equal([[], '']);
    });
  });

  it('forgets all of a namespace', () => {
    const memory = new BundleMemory(() => 0);
    memory.named.set('a', ['a/x']);
    memory.nextSequence('a', 0, 10);
    memory.wrote('a');
    memory.published('a', 1);
    memory.forget('a');
    expect([...memory.named.bundlesOf('a/x')]).to.deep.equal([]);
    expect(memory.isOlder('a', 1)).to.equal(false);
    expect(memory.hasPublished('a', 0)).to.equal(false);
    expect(memory.sinceWriteMs('a')).to.equal(Number.POSITIVE_INFINITY);
  });
});
