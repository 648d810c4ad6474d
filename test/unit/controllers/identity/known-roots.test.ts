import { expect } from 'chai';
import { KnownRoots } from '../../../../src/controllers/identity/known-roots.ts';
import { bundleDigests } from '../../../../src/crypto/bundle-digests.ts';
import { encodePem } from '../../../../src/crypto/pem.ts';

/** It is told apart by its octets alone. */
const root = (n: number): string => encodePem('CERTIFICATE', Buffer.from(`root ${n}`));
const digests = (...of: readonly number[]): readonly string[] =>
  bundleDigests(Buffer.from(of.map(root).join('')));

describe('KnownRoots', () => {
  it('accepts what is trusted, in any number and order, and what was', () => {
    const roots = new KnownRoots();
    roots.note(root(1) + root(2));
    roots.note(root(2) + root(3));
    for (const known of [[1], [2, 1], [1, 2, 3]]) expect(roots.areAll(digests(...known))).to.equal(true);
  });

  it('rejects whatever holds another one, and what holds none', () => {
    const roots = new KnownRoots();
    roots.note(root(1));
    for (const other of [[2], [1, 2]]) expect(roots.areAll(digests(...other))).to.equal(false);
    expect(roots.areAll([])).to.equal(false);
  });

  it('forgets those first that were noted longest ago', () => {
    const roots = new KnownRoots();
    for (let n = 0; n < 200; n++) roots.note(root(0) + root(n));
    expect([0, 71, 73, 199].map((n) => roots.areAll(digests(n)))).to.deep.equal([true, false, true, true]);
  });
});
