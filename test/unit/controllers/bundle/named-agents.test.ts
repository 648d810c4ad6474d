import { expect } from 'chai';
import { NamedAgents } from '../../../../src/controllers/bundle/named-agents.ts';

describe('NamedAgents', () => {
  const found = (named: NamedAgents): unknown => ({
    x: [...named.bundlesOf('a/x')].sort(),
    y: [...named.bundlesOf('a/y')].sort(),
    home: [...named.bundlesOfNamespace('a')].sort(),
  });

  it('finds the bundles that name an agent, or any of a namespace', () => {
    const named = new NamedAgents();
    named.set('one', ['a/x', 'a/y', 'b/z']);
    named.set('two', ['a/y']);
    expect(found(named)).to.deep.equal({ x: ['one'], y: ['one', 'two'], home: ['one', 'two'] });
  });

  it('forgets what a bundle no longer names', () => {
    const named = new NamedAgents();
    named.set('one', ['a/x', 'a/y']);
    named.set('one', ['a/y']);
    expect(found(named)).to.deep.equal({ x: [], y: ['one'], home: ['one'] });
    named.set('one', []);
    expect(found(named)).to.deep.equal({ x: [], y: [], home: [] });
  });
});
