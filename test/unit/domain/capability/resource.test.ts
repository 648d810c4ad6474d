import { expect } from 'chai';
import fc from 'fast-check';
import { isConcreteResource, isResource } from '../../../../src/domain/capability/parse.ts';
import {
  intersectResources,
  minimalResources,
  type Resources,
  resourceContains,
  resourcesBeyond,
  resourcesContain,
  unionResources,
} from '../../../../src/domain/capability/resource.ts';
import { matches } from '../../../support/delegation-reference.ts';

const segment = fc.constantFrom('a', 'b', 'ab', 'a!', '!', '.x', '..y', 'a:', 's3:');
const root = fc.constantFrom('', '/', 's3://', 'file:///');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const concrete = fc
  .tuple(root, path)
  .map((parts) => parts.join(''))
  .filter(isConcreteResource);
const pattern = fc.oneof(
  fc.constantFrom('*', '/*'),
  concrete,
  concrete.map((text) => `${text}/*`),
);
const resources: fc.Arbitrary<Resources> = fc.option(fc.array(pattern, { minLength: 1, maxLength: 9 }), {
  nil: undefined,
});

describe('isResource', () => {
  for (const text of [
    '*',
    '/*',
    'a',
    '/a',
    '/a/*',
    'a/*',
    's3://bucket/*',
    'file:///etc/x',
    '..a',
    '.a/b',
    'a:b',
    '/a+b',
    'x'.repeat(256),
  ])
    it(`accepts ${text.slice(0, 40)}`, () => expect(isResource(text)).to.equal(true));
  for (const text of [
    '',
    '/',
    '//',
    '/a/',
    'a//b',
    '.',
    '..',
    '/a/../b',
    '/a/./b',
    '/a/%2f',
    'a\\b',
    '/a*',
    '/*/a',
    '**',
    's3://',
    's3://*',
    'S3://a',
    '/a b',
    'a\u00e9',
    '\ud800',
    '/a\n',
    'x'.repeat(257),
  ])
    it(`rejects ${JSON.stringify(text).slice(0, 40)}`, () => expect(isResource(text)).to.equal(false));
});

describe('resourceContains', () => {
  it('decides by segments, never by a prefix of the text', () => {
    const outer = '/data/reports/*';
    const inside = ['/data/reports/q1', '/data/reports/2026/q1', '/data/reports/*', '/data/reports/2026/*'];
    const outside = [
      '/data/reports',
      '/data/reports-old',
      '/data/reports-old/*',
      'data/reports/q1',
      '/data/*',
      '*',
    ];
    expect(inside.filter((inner) => !resourceContains(outer, inner))).to.deep.equal([]);
    expect(outside.filter((inner) => resourceContains(outer, inner))).to.deep.equal([]);
  });

  it('keeps roots apart: only * contains all of them', () => {
    expect(resourceContains('/*', 'a')).to.equal(false);
    expect(resourceContains('/*', 's3://a')).to.equal(false);
    expect(resourceContains('s3:/*', 's3://a')).to.equal(false);
    expect(resourceContains('*', 's3://a')).to.equal(true);
  });

  it('says the same as membership of every concrete resource, decided by segments', () => {
    fc.assert(
      fc.property(pattern, concrete, (outer, inner) => {
        expect(resourceContains(outer, inner)).to.equal(matches(outer, inner));
      }),
    );
  });

  it('is reflexive, antisymmetric and transitive', () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (a, b, c) => {
        expect(resourceContains(a, a)).to.equal(true);
        if (resourceContains(a, b) && resourceContains(b, a)) expect(a).to.equal(b);
        if (resourceContains(a, b) && resourceContains(b, c)) expect(resourceContains(a, c)).to.equal(true);
      }),
    );
  });
});

describe('intersectResources', () => {
  it('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(resources, resources, resources, (a, b, c) => {
        expect(intersectResources(a, b)).to.deep.equal(intersectResources(b, a));
        const left = intersectResources(intersectResources(a, b), c);
        expect(intersectResources(a, intersectResources(b, c))).to.deep.equal(left);
        expect(intersectResources(a, a)).to.deep.equal(a && minimalResources(a));
      }),
    );
  });

  it('is the greatest set that both contain', () => {
    fc.assert(
      fc.property(resources, resources, concrete, (a, b, resource) => {
        const isIn = (set: Resources): boolean =>
          set === undefined || set.some((each) => matches(each, resource));
        expect(isIn(intersectResources(a, b))).to.equal(isIn(a) && isIn(b));
        expect(isIn(unionResources(a, b))).to.equal(isIn(a) || isIn(b));
      }),
    );
  });

  it('is contained in both, pattern by pattern', () => {
    fc.assert(
      fc.property(resources, resources, (a, b) => {
        for (const each of intersectResources(a, b) ?? []) {
          expect(resourcesContain(a, each) && resourcesContain(b, each)).to.equal(true);
        }
      }),
    );
  });
});

describe('minimalResources', () => {
  it('leaves out what another pattern of the list contains, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 9 }), (list) => {
        const isBelow = (each: string): boolean =>
          list.some((other) => other !== each && resourceContains(other, each));
        expect(minimalResources(list)).to.deep.equal(
          [...new Set(list)].filter((each) => !isBelow(each)).sort(),
        );
      }),
    );
  });
});

describe('resourcesBeyond', () => {
  it('gives the patterns that no other contains, as they stand in the list', () => {
    fc.assert(
      fc.property(resources, fc.array(pattern, { maxLength: 9 }), (held, wanted) => {
        expect(resourcesBeyond(held, wanted)).to.deep.equal(
          wanted.filter((each) => !resourcesContain(held, each)),
        );
      }),
    );
  });
});
