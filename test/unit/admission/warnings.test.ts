import { expect } from 'chai';
import { describe, it } from 'mocha';
import { limitedWarnings } from '../../../src/admission/warnings.ts';
import type { Warning } from '../../../src/domain/admission/effect-warnings.ts';

function warnings(count: number, text = 'w'): readonly Warning[] {
  return Array.from({ length: count }, (_, index) => () => `${index} ${text}`);
}

describe('limitedWarnings', () => {
  it('accepts up to sixteen as they are', () => {
    expect(limitedWarnings([])).to.deep.equal([]);
    expect(limitedWarnings(warnings(16))).to.deep.equal(warnings(16).map((each) => each()));
  });

  it('ends more of them with how many are left out, and does not work those out', () => {
    let asked = 0;
    const counting = warnings(40).map((each) => () => {
      asked++;
      return each();
    });
    const shown = limitedWarnings(counting);
    expect(shown).to.deep.equal([...warnings(15).map((each) => each()), 'and 25 more']);
    expect(asked).to.equal(15);
  });

  it('cuts each below 256 characters, and all below 4000', () => {
    const shown = limitedWarnings(warnings(16, 'x'.repeat(300)));
    expect(shown.slice(0, -1).every((each) => each.length === 255 && each.endsWith('x...'))).to.equal(true);
    expect(shown.join('').length).to.be.below(4_000);
    expect(shown).to.have.length(16);
    expect(shown.at(-1)).to.equal('and 1 more');
    const short = limitedWarnings(warnings(16, 'x'.repeat(240)));
    expect(short).to.have.length(16);
    expect(short.at(-1)?.startsWith('15 x')).to.equal(true);
  });

  it('prints nothing that is no printable ASCII', () => {
    expect(limitedWarnings([() => 'a\nb\u0007é'])).to.deep.equal(['a?b??']);
  });
});
