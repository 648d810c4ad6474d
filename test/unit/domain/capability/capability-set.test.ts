import { expect } from 'chai';
import fc from 'fast-check';
import type { Capability } from '../../../../src/domain/capability/capability.ts';
import {
  capabilitySet,
  intersectSets,
  setContains,
} from '../../../../src/domain/capability/capability-set.ts';

const capability: fc.Arbitrary<Capability> = fc.record(
  {
    name: fc.constantFrom('read', 'write'),
    resources: fc.array(fc.constantFrom('*', '/a/*', '/a/b', '/c'), { minLength: 1, maxLength: 3 }),
    use: fc.constantFrom('Invoke' as const, 'Delegate' as const),
  },
  { requiredKeys: ['name'] },
);
const set = fc.array(capability, { maxLength: 4 }).map(capabilitySet);

describe('capabilitySet', () => {
  it('keeps the fewest patterns, in order', () => {
    const read = { name: 'read', resources: ['/c', '/a/b', '/a/*'] };
    expect([...capabilitySet([read]).values()]).to.deep.equal([{ name: 'read', resources: ['/a/*', '/c'] }]);
  });

  it('grants for a name that stands twice only what both entries say', () => {
    const twice = [
      { name: 'read', resources: ['/a/*'] },
      { name: 'read', resources: ['/a/b', '/c'], use: 'Invoke' as const },
    ];
    expect([...capabilitySet(twice).values()]).to.deep.equal([
      { name: 'read', resources: ['/a/b'], use: 'Invoke' },
    ]);
    expect(capabilitySet([...twice, { name: 'read', resources: ['/z'] }]).size).to.equal(0);
  });

  it('grants nothing for what a schema would refuse', () => {
    const bad = [
      { name: 'read*' },
      { name: 'write', resources: [] },
      { name: 'deploy', resources: ['/a/../b', '/a/%2f', '\ud800'] },
    ];
    expect(capabilitySet(bad).size).to.equal(0);
  });

  it('does not let a bad entry widen a good one of the same name', () => {
    expect(capabilitySet([{ name: 'read' }, { name: 'read', resources: ['..'] }]).size).to.equal(0);
  });
});

describe('intersectSets', () => {
  it('is commutative, associative and idempotent', () => {
    const sorted = (each: ReadonlyMap<string, Capability>): readonly Capability[] =>
      [...each.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    fc.assert(
      fc.property(set, set, set, (a, b, c) => {
        expect(sorted(intersectSets(a, b))).to.deep.equal(sorted(intersectSets(b, a)));
        expect(sorted(intersectSets(intersectSets(a, b), c))).to.deep.equal(
          sorted(intersectSets(a, intersectSets(b, c))),
        );
        expect(sorted(intersectSets(a, a))).to.deep.equal(sorted(a));
      }),
    );
  });
});

describe('setContains', () => {
  const held = capabilitySet([
    { name: 'read', resources: ['/a/*', '/c'] },
    { name: 'write', use: 'Delegate' },
  ]);
  const accepted: Record<string, readonly Capability[]> = {
    nothing: [],
    'the same': [{ name: 'read', resources: ['/c', '/a/*'] }],
    'fewer resources': [{ name: 'read', resources: ['/a/b/*'] }],
    'resources, where there is no limit': [{ name: 'write', resources: ['/z'], use: 'Delegate' }],
  };
  for (const [name, wanted] of Object.entries(accepted))
    it(`accepts ${name}`, () => expect(setContains(held, capabilitySet(wanted))).to.equal(true));

  const rejected: Record<string, readonly Capability[]> = {
    'another name': [{ name: 'deploy' }],
    'one resource more': [{ name: 'read', resources: ['/a/*', '/d'] }],
    'no limit, where there is one': [{ name: 'read' }],
    'another use': [{ name: 'write', use: 'Invoke' }],
    'both uses': [{ name: 'write' }],
  };
  for (const [name, wanted] of Object.entries(rejected))
    it(`rejects ${name}`, () => expect(setContains(held, capabilitySet(wanted))).to.equal(false));

  it('holds of an intersection, which is the greatest that both contain', () => {
    fc.assert(
      fc.property(set, set, set, (a, b, c) => {
        const both = intersectSets(a, b);
        expect(setContains(a, both) && setContains(b, both)).to.equal(true);
        expect(setContains(both, c)).to.equal(setContains(a, c) && setContains(b, c));
      }),
    );
  });
});
