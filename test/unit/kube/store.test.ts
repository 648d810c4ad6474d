/** The store: order of versions, relists, own writes ahead of their events. */

import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { Store, type VersionedMeta } from '../../../src/kube/store.ts';

const meta = (name: string, resourceVersion: string, uid = name): VersionedMeta => ({
  namespace: 'a',
  name,
  uid,
  resourceVersion,
});
const change = (name: string, current?: string, previous?: string) => ({
  key: `a/${name}`,
  current,
  previous,
});

describe('Store', () => {
  let store: Store<string>;
  const put = (name: string, version: string, uid?: string) =>
    store.put(meta(name, version, uid), () => `${name}${version}`);
  const observe = (name: string, version: string, uid?: string) =>
    store.observe(meta(name, version, uid), () => `${name}${version}`);
  const relist = (version: string, ...items: readonly (readonly [string, string])[]) => {
    store.beginRelist(version);
    return [...items.flatMap(([name, itemVersion]) => put(name, itemVersion)), ...store.endRelist()];
  };
  beforeEach(() => {
    store = new Store({ letter: (value) => [value.slice(0, 1)] });
  });

  it('tells an add, an update and a delete', () => {
    expect([put('x', '1'), put('x', '2'), store.remove(meta('x', '3'))]).to.deep.equal([
      [change('x', 'x1')],
      [change('x', 'x2', 'x1')],
      [change('x', undefined, 'x2')],
    ]);
    expect(store.size).to.equal(0);
  });

  it('ignores what it holds already, without projecting it, and what is older', () => {
    put('x', '10');
    const never = () => {
      throw new Error('projected');
    };
    expect([
      store.put(meta('x', '10'), never),
      store.put(meta('x', '9'), never),
      store.remove(meta('x', '9')),
      store.get('a/x'),
    ]).to.deep.equal([[], [], [], 'x10']);
  });

  it('takes versions that cannot be ordered as newer', () => {
    put('x', 'b');
    expect(put('x', 'a')).to.deep.equal([change('x', 'xa', 'xb')]);
  });

  it('tells another uid under the name as a delete and an add', () => {
    put('x', '1', 'u1');
    expect(put('x', '2', 'u2')).to.deep.equal([change('x', undefined, 'x1'), change('x', 'x2')]);
  });

  it('does not delete the object that took the name', () => {
    put('x', 'b', 'u2');
    expect([store.remove(meta('x', 'a', 'u1')), store.get('a/x')]).to.deep.equal([[], 'xb']);
  });

  it('finds keys by index until they go', () => {
    put('x', '1');
    put('xy', '2');
    put('z', '3');
    const found = [store.byIndex('letter', 'x')];
    store.remove(meta('x', '4'));
    found.push(store.byIndex('letter', 'x'), store.byIndex('letter', 'q'));
    expect(found).to.deep.equal([['a/x', 'a/xy'], ['a/xy'], []]);
    expect(() => store.byIndex('other', 'x')).to.throw(RangeError);
  });

  it('changes nothing when a projection or an index function throws', () => {
    const fragile = new Store<string>({
      index: (value) => {
        if (value === 'bad') throw new Error('index');
        return [value];
      },
    });
    fragile.put(meta('x', '1'), () => 'good');
    const project = () => {
      throw new Error('projection');
    };
    expect(() => fragile.put(meta('x', '2'), project)).to.throw('projection');
    expect(() => fragile.put(meta('x', '2'), () => 'bad')).to.throw('index');
    expect([fragile.get('a/x'), fragile.byIndex('index', 'good')]).to.deep.equal(['good', ['a/x']]);
  });

  it('keeps names that objects have by nature apart', () => {
    for (const name of ['__proto__', 'constructor']) {
      expect(store.get(name)).to.equal(undefined);
      store.put({ name, uid: name, resourceVersion: '1' }, () => name);
      expect([store.get(name), store.byIndex('letter', name.slice(0, 1))]).to.deep.equal([name, [name]]);
    }
    expect(store.byIndex('letter', '__proto__')).to.deep.equal([]);
  });

  describe('relist', () => {
    it('deletes what vanished and tells what is new', () => {
      relist('10', ['x', '1'], ['y', '2']);
      expect(relist('20', ['y', '15'], ['z', '16'])).to.deep.equal([
        change('y', 'y15', 'y2'),
        change('z', 'z16'),
        change('x', undefined, 'x1'),
      ]);
    });

    it('keeps own writes that are newer than the list', () => {
      relist('10');
      observe('x', '25');
      expect([relist('20'), store.get('a/x')]).to.deep.equal([[], 'x25']);
    });

    it('deletes nothing when it is begun anew in the middle', () => {
      relist('10', ['x', '1'], ['y', '2']);
      store.beginRelist('20');
      put('x', '1');
      expect(relist('21', ['x', '1'], ['y', '2'])).to.deep.equal([]);
    });

    it('believes a server whose history went back', () => {
      relist('100', ['x', '90'], ['y', '95']);
      expect([relist('50', ['x', '40']), store.get('a/x')]).to.deep.equal([
        [change('x', 'x40', 'x90'), change('y', undefined, 'y95')],
        'x40',
      ]);
      expect(put('x', '51')).to.deep.equal([change('x', 'x51', 'x40')]);
    });
  });

  describe('observe', () => {
    beforeEach(() => {
      relist('10', ['x', '5']);
    });

    it('shows an own write at once, and its event is no change', () => {
      observe('x', '11');
      expect([store.get('a/x'), put('x', '11'), put('x', '12')]).to.deep.equal([
        'x11',
        [],
        [change('x', 'x12', 'x11')],
      ]);
    });

    it('tells the change of another that the own write includes, with what listeners know', () => {
      observe('x', '13');
      observe('x', '14');
      expect([put('x', '12'), put('x', '14'), put('x', '15')]).to.deep.equal([
        [change('x', 'x14', 'x5')],
        [],
        [change('x', 'x15', 'x14')],
      ]);
    });

    it('tells the next change with what listeners know', () => {
      observe('x', '13');
      expect(put('x', '20')).to.deep.equal([change('x', 'x20', 'x5')]);
    });

    it('counts a list as a change, because it may hide one', () => {
      observe('x', '13');
      expect([relist('20', ['x', '13']), put('x', '13')]).to.deep.equal([[change('x', 'x13', 'x5')], []]);
    });

    it('does not revive what the server has already deleted', () => {
      store.remove(meta('x', '12'));
      store.advance('12');
      observe('x', '11');
      expect(store.get('a/x')).to.equal(undefined);
    });

    it('ignores an answer that the events have overtaken, and one that cannot be ordered', () => {
      put('x', '12');
      store.advance('12');
      observe('x', '11');
      observe('x', 'zz');
      expect(store.get('a/x')).to.equal('x12');
    });

    it('keeps an own re-creation when the event of the deletion comes late', () => {
      observe('x', '13', 'new');
      expect([store.remove(meta('x', '12')), store.get('a/x')]).to.deep.equal([
        [change('x', 'x13', 'x5')],
        'x13',
      ]);
    });
  });

  describe('observeDeleted', () => {
    beforeEach(() => {
      relist('10', ['x', '5']);
      store.observeDeleted(meta('x', '5'));
    });

    it('hides the object at once, whatever late events say, and its event is no change', () => {
      expect([store.get('a/x'), put('x', '11'), store.remove(meta('x', '12'))]).to.deep.equal([
        undefined,
        [],
        [],
      ]);
    });

    it('does not hide another object of the name', () => {
      expect(put('x', '13', 'new')).to.deep.equal([change('x', 'x13')]);
    });

    it('lasts through a list from before, and ends with one from after', () => {
      expect([relist('11', ['x', '5']), put('x', '12')]).to.deep.equal([[], []]);
      expect([relist('20'), put('x', '21')]).to.deep.equal([[], [change('x', 'x21')]]);
    });

    it('does not touch another object of the name', () => {
      put('x', '13', 'new');
      store.observeDeleted(meta('x', '5'));
      expect(store.get('a/x')).to.equal('x13');
    });
  });
});
