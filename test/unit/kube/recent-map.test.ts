/** The bounded map: what is dropped when it is full. */

import { expect } from 'chai';
import { RecentMap } from '../../../src/kube/recent-map.ts';

describe('RecentMap', () => {
  it('drops the entry whose use is longest ago', () => {
    const map = new RecentMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).to.deep.equal([1, undefined, 3, 2]);
  });

  it('forgets what is deleted', () => {
    const map = new RecentMap<number>(2);
    map.set('a', 1);
    map.delete('a');
    expect([map.get('a'), map.size]).to.deep.equal([undefined, 0]);
  });
});
