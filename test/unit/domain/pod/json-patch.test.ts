import { expect } from 'chai';
import { addField, append, pointer, prepend } from '../../../../src/domain/pod/json-patch.ts';

describe('pointer', () => {
  it('escapes what RFC 6901 wants escaped', () => {
    expect(pointer(['metadata', 'labels', 'a/b~c~1', 0])).to.equal('/metadata/labels/a~1b~0c~01/0');
    expect(pointer([])).to.equal('');
  });
});

describe('addField, append and prepend', () => {
  it('add to what is there', () => {
    expect([
      addField({ c: 1 }, ['a'], ['x/y', 2]),
      append([1], ['a', 'b'], 2),
      prepend([1], ['a', 'b'], 2),
    ]).to.deep.equal([
      { op: 'add', path: '/a/x~1y', value: 2 },
      { op: 'add', path: '/a/b/-', value: 2 },
      { op: 'add', path: '/a/b/0', value: 2 },
    ]);
  });

  it('add the parent that is absent', () => {
    expect([
      addField(undefined, ['a'], ['x/y', 2]),
      append(undefined, ['a', 'b'], 2),
      prepend(undefined, ['a', 'b'], 2),
    ]).to.deep.equal([
      { op: 'add', path: '/a', value: { 'x/y': 2 } },
      { op: 'add', path: '/a/b', value: [2] },
      { op: 'add', path: '/a/b', value: [2] },
    ]);
  });
});
