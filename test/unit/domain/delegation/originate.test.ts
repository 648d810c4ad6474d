import { expect } from 'chai';
import { describe, it } from 'mocha';
import { mayOriginate } from '../../../../src/domain/delegation/originate.ts';

describe('mayOriginate', () => {
  it('accepts Always, and Auto while nobody delegates to the agent', () => {
    expect(mayOriginate('Always', true)).to.equal(true);
    expect(mayOriginate('Always', false)).to.equal(true);
    expect(mayOriginate('Auto', false)).to.equal(true);
    expect(mayOriginate(undefined, false)).to.equal(true);
  });

  it('rejects Never, Auto once somebody delegates to it, and what is none of these', () => {
    expect(mayOriginate('Never', false)).to.equal(false);
    expect(mayOriginate('Auto', true)).to.equal(false);
    expect(mayOriginate(undefined, true)).to.equal(false);
    expect(mayOriginate('always', false)).to.equal(false);
  });
});
