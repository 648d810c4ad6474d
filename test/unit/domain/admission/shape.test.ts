import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  isNumber,
  isText,
  isTruth,
  listOf,
  mapOf,
  objectOf,
} from '../../../../src/domain/admission/shape.ts';

const ODD: readonly unknown[] = [undefined, null, 0, 'text', true, [], {}, [null], { a: null }];

describe('objectOf', () => {
  const shape = objectOf({ name: isText }, { size: isNumber, on: isTruth });

  it('accepts required fields of their shape, and whatever is not named', () => {
    for (const value of [{ name: 'a' }, { name: 'a', size: 1, on: false, other: null }])
      expect(shape(value), JSON.stringify(value)).to.equal(true);
  });

  it('rejects what is no object, lacks a field or has one of another shape', () => {
    for (const value of [...ODD, { name: 1 }, { name: 'a', size: '1' }, { name: 'a', on: null }])
      expect(shape(value), JSON.stringify(value)).to.equal(false);
  });

  it('rejects fields that are only inherited', () => {
    expect(shape(Object.create({ name: 'a' }))).to.equal(false);
    expect(objectOf({ constructor: () => true })(JSON.parse('{"constructor": 1}'))).to.equal(true);
    expect(objectOf({}, { constructor: isText })({})).to.equal(true);
  });
});

describe('listOf', () => {
  it('accepts lists of one shape', () => {
    for (const value of [[], ['a'], ['a', 'b']]) expect(listOf(isText)(value)).to.equal(true);
  });

  it('rejects everything else, and what is longer than any list of ours', () => {
    for (const value of [
      undefined,
      null,
      'text',
      {},
      [1],
      ['a', null],
      Array.from({ length: 513 }, () => 'a'),
    ])
      expect(listOf(isText)(value)).to.equal(false);
  });
});

describe('mapOf', () => {
  it('accepts objects whose values have one shape', () => {
    for (const value of [{}, { a: 'b', '': '' }]) expect(mapOf(isText)(value)).to.equal(true);
  });

  it('rejects everything else', () => {
    for (const value of [undefined, null, 'text', ['a'], { a: 1 }])
      expect(mapOf(isText)(value)).to.equal(false);
  });
});
