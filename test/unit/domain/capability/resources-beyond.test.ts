import { expect } from 'chai';
import { describe, it } from 'mocha';
import { resourcesBeyond, resourcesContain } from '../../../../src/domain/capability/resource.ts';
import { Dice } from '../../../support/random-world.ts';

const PATTERNS = [
  '*',
  '/*',
  '/data',
  '/data/*',
  '/data/a',
  '/data/a/*',
  'data/*',
  's3://x/*',
  's3:/*',
  's3://x/a',
];

describe('resourcesBeyond', () => {
  it('is what is not contained, pattern by pattern, in the order in which it is wanted', () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const dice = new Dice(seed);
      const [held, wanted] = [
        dice.some(PATTERNS, dice.below(10) / 10),
        dice.some(PATTERNS, dice.below(10) / 10),
      ];
      expect(resourcesBeyond(held, wanted), `seed ${seed}`).to.deep.equal(
        wanted.filter((pattern) => !resourcesContain(held, pattern)),
      );
    }
  });

  it('is nothing where there is no limit', () => {
    expect(resourcesBeyond(undefined, ['*', '/a'])).to.deep.equal([]);
  });
});
