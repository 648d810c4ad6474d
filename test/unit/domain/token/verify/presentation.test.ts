import { expect } from 'chai';
import { TOKEN_LIMITS } from '../../../../../src/domain/token/claims.ts';
import { readPresentation } from '../../../../../src/domain/token/verify/presentation.ts';

const AUTHORIZATION = 'Bearer leaf';
const parentsOf = (chain: string): readonly string[] | string => {
  const read = readPresentation({ authorization: [AUTHORIZATION], dpop: [], delegationChain: [chain] });
  return read.kind === 'presentation' ? read.parents : read.name;
};

describe('readPresentation', () => {
  it('takes a chain apart at its commas, whatever blanks stand around them', () => {
    expect(parentsOf('a')).to.deep.equal(['a']);
    expect(parentsOf('a,b')).to.deep.equal(['a', 'b']);
    expect(parentsOf('a \t, \tb\t,c')).to.deep.equal(['a', 'b', 'c']);
    expect(parentsOf('a b')).to.deep.equal(['a b']);
    expect(parentsOf('a,, \t')).to.deep.equal(['a', '', '']);
    expect(parentsOf('')).to.deep.equal(['']);
  });

  it('takes as many parents as a chain may have, and refuses one more', () => {
    const chain = (length: number): string => Array.from({ length }, () => 'a').join(' , ');
    expect(parentsOf(chain(TOKEN_LIMITS.parents)).length).to.equal(TOKEN_LIMITS.parents);
    expect(parentsOf(chain(TOKEN_LIMITS.parents + 1))).to.equal('malformed');
  });

  it('reads chains of blanks, as long as they may be, a thousand of them', () => {
    const longest = TOKEN_LIMITS.presentationBytes - AUTHORIZATION.length;
    const chain = `a${' \t'.repeat(longest / 2 - 1)}b`;
    for (let count = 0; count < 1000; count++) expect(parentsOf(chain)).to.deep.equal([chain]);
    expect(parentsOf(`a,${' '.repeat(longest - 3)}b`)).to.deep.equal(['a', 'b']);
    expect(parentsOf(' '.repeat(longest + 1))).to.equal('malformed');
  });
});
