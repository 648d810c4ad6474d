import { expect } from 'chai';
import { describe, it } from 'mocha';
import { addedInvalidFields } from '../../../../src/domain/admission/invalid-fields.ts';

const ROUTE = (index: number): string => `spec.server.routes[${index}].path must begin with /`;

describe('addedInvalidFields', () => {
  it('accepts what was wrong before, at another index too', () => {
    expect(addedInvalidFields([ROUTE(0), ROUTE(1)], [ROUTE(1), ROUTE(0)])).to.deep.equal([]);
    expect(addedInvalidFields([ROUTE(1)], [ROUTE(0)])).to.deep.equal([]);
    expect(addedInvalidFields([ROUTE(1)], [])).to.deep.equal([]);
  });

  it('rejects what is wrong once more than before', () => {
    expect(addedInvalidFields([ROUTE(0)], [ROUTE(0), ROUTE(3)])).to.deep.equal([{ says: ROUTE(3) }]);
    expect(addedInvalidFields([], ['spec.maxDepth must be 1 to 8'])).to.deep.equal([
      { says: 'spec.maxDepth must be 1 to 8' },
    ]);
  });
});
