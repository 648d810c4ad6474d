/** What a replacement keeps of others. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { carryOver } from '../../../src/kube/carry-over.ts';

const owner = (uid: string, controller?: boolean) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: uid,
  uid,
  ...(controller === undefined ? {} : { controller }),
});

describe('carryOver', () => {
  it('takes identity from the observed object, ours from the desired one, the rest from both', () => {
    const metadata = carryOver(
      {
        name: 'w',
        labels: { 'ours.dev/a': 'new', shared: 'ours' },
        annotations: { 'ours.dev/b': 'new' },
        ownerReferences: [owner('me', true)],
        finalizers: ['ours.dev/f'],
      },
      {
        name: 'w',
        uid: 'u1',
        resourceVersion: '5',
        generation: 3,
        labels: { 'ours.dev/a': 'old', 'ours.dev/gone': 'x', shared: 'theirs', foreign: 'kept' },
        annotations: { foreign: 'kept' },
        ownerReferences: [owner('me', false), owner('other')],
        finalizers: ['other.dev/f'],
      },
      'ours.dev/',
    );
    expect(metadata).to.deep.equal({
      name: 'w',
      uid: 'u1',
      resourceVersion: '5',
      labels: { 'ours.dev/a': 'new', shared: 'ours', foreign: 'kept' },
      annotations: { 'ours.dev/b': 'new', foreign: 'kept' },
      ownerReferences: [owner('me', true), { ...owner('other'), controller: false }],
      finalizers: ['other.dev/f', 'ours.dev/f'],
    });
  });

  it('leaves a foreign controller in place when none is desired', () => {
    const { ownerReferences } = carryOver(
      { name: 'w' },
      { name: 'w', ownerReferences: [owner('other', true)] },
      'o/',
    );
    expect(ownerReferences).to.deep.equal([owner('other', true)]);
  });

  it('keeps keys that objects have by nature apart', () => {
    const labels = JSON.parse('{"__proto__":"x","constructor":"y"}');
    const { labels: carried } = carryOver({ name: 'w' }, { name: 'w', labels }, 'o/');
    expect(JSON.stringify(carried)).to.equal('{"__proto__":"x","constructor":"y"}');
  });
});
