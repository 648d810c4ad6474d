/** The order of resource versions. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { isOlder, isOrderedResourceVersion } from '../../../src/kube/resource-version.ts';

describe('isOrderedResourceVersion', () => {
  it('accepts decimal numbers without leading zeros', () => {
    expect(['1', '10', '99999999999999999999'].map(isOrderedResourceVersion)).to.deep.equal([
      true,
      true,
      true,
    ]);
  });

  it('rejects anything else', () => {
    const others = [undefined, '', '0', '01', '-1', '1a', '1.5', ' 1'];
    expect(others.map(isOrderedResourceVersion)).to.deep.equal(others.map(() => false));
  });
});

describe('isOlder', () => {
  it('compares as numbers, beyond 2^53 too', () => {
    expect([
      isOlder('9', '10'),
      isOlder('10', '9'),
      isOlder('10', '10'),
      isOlder('9007199254740992', '9007199254740993'),
      isOlder('9007199254740993', '9007199254740992'),
    ]).to.deep.equal([true, false, false, true, false]);
  });

  it('takes what cannot be ordered as newer', () => {
    expect([isOlder('x', '10'), isOlder('5', 'x'), isOlder('5', undefined)]).to.deep.equal([
      false,
      false,
      false,
    ]);
  });
});
