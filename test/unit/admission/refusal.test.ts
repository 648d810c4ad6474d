import { expect } from 'chai';
import { describe, it } from 'mocha';
import { refusalText } from '../../../src/admission/refusal.ts';
import type { Violation } from '../../../src/domain/admission/violation.ts';

const named = (agent: string): string => agent.replace('ai/', '');

function violations(count: number): readonly Violation[] {
  return Array.from({ length: count }, (_, index) => ({ says: `spec.a[${index}] is wrong` }));
}

describe('refusalText', () => {
  it('is nothing when nothing is wrong', () => {
    expect(refusalText([], named)).to.equal(undefined);
    expect(refusalText([{ headline: 'no', violations: [] }], named)).to.equal(undefined);
  });

  it('has a headline, a line for each violation, and its path and way out below', () => {
    const full: Violation = { says: 'spec.b: who', travels: () => ['ai/a', 'data/b'], wayOut: 'Do this' };
    const parts = [
      { headline: 'nothing of this', violations: [] },
      { headline: 'one', violations: [...violations(1), full] },
      { headline: 'two', violations: violations(1) },
    ];
    expect(refusalText(parts, named)?.split('\n')).to.deep.equal([
      'one',
      '  spec.a[0] is wrong.',
      '  spec.b: who.',
      '    It would travel a -> data/b.',
      '    Do this.',
      'two',
      '  spec.a[0] is wrong.',
    ]);
  });

  it('tells sixteen in full and counts the rest', () => {
    const lines = (count: number): readonly string[] =>
      refusalText([{ headline: 'no', violations: violations(count) }], named)?.split('\n') ?? [];
    expect(lines(16)).to.have.length(17);
    expect(lines(17).slice(17)).to.deep.equal(['  and 1 more']);
    expect(lines(99).slice(17)).to.deep.equal(['  and 83 more']);
    expect(lines(100).slice(17)).to.deep.equal(['  and many more']);
  });

  it('works out no path that it does not show', () => {
    let asked = 0;
    const travels = () => {
      asked++;
      return [];
    };
    refusalText(
      [{ headline: 'no', violations: violations(50).map((each) => ({ ...each, travels })) }],
      named,
    );
    expect(asked).to.equal(16);
  });

  it('prints no character that a terminal would act on', () => {
    const violation = { says: 'a\n\u001b[31mb', wayOut: 'é' };
    expect(refusalText([{ headline: 'no', violations: [violation] }], named)).to.equal(
      'no\n  a??[31mb.\n    ?.',
    );
  });
});
