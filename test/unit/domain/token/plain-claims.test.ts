import { expect } from 'chai';
import fc from 'fast-check';
import { readClaims } from '../../../../src/domain/token/claims-shape.ts';
import { readPlainClaims } from '../../../../src/domain/token/plain-claims.ts';
import { jsonObject } from '../../../../src/domain/token/token.ts';
import { OTHERS, VALUES } from '../../../support/token/mutation-values.ts';
import { TEXTS } from '../../../support/token/mutations.ts';
import {
  A,
  APPLY,
  details,
  type Json,
  LEAF_CLAIMS,
  ROOT_CLAIMS,
  STAGING,
  T0,
  USER_LEAF_CLAIMS,
  USER_ROOT_CLAIMS,
} from '../../../support/token/scene.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const HASH = 'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4';

/** With members where agents put them. */
const inOrder = ({ iss, sub, act, client_id, aud, iat, exp, del_exp, ...rest }: Json): Json => ({
  iss,
  sub,
  act,
  client_id,
  aud,
  iat,
  exp,
  del_exp,
  ...rest,
});
const actors = (depth: number): Json => (depth > 1 ? { sub: A, act: actors(depth - 1) } : { sub: A });

const PLAIN: Readonly<Record<string, Json>> = {
  'the first of a chain': ROOT_CLAIMS,
  'a second one': { ...LEAF_CLAIMS, par_hash: HASH },
  'one bound to a key': { ...ROOT_CLAIMS, cnf: { jkt: HASH } },
  'one with children that outlive it': { ...ROOT_CLAIMS, del_exp: T0 + 900 },
  'one with several actors': { ...LEAF_CLAIMS, act: actors(8), par_hash: HASH },
  'one with several capabilities and resources': {
    ...ROOT_CLAIMS,
    authorization_details: details({ ...STAGING, resources: ['*', '/a', 'https://b/*'] }, APPLY),
  },
};

/** The claims by the two ways; undefined for what is none, whatever is wrong with it. */
function readBoth(text: string): readonly [plain: unknown, slow: unknown] {
  const members = jsonObject(text);
  const slow = members && readClaims(members);
  return [readPlainClaims(text), slow !== undefined && 'iss' in slow ? slow : undefined];
}

describe('readPlainClaims', () => {
  for (const [name, claims] of Object.entries(PLAIN))
    it(`reads ${name} as it is read member by member`, () => {
      const [plain, slow] = readBoth(JSON.stringify(inOrder(claims)));
      expect(plain).to.deep.equal(slow);
      expect(plain).to.be.an('object');
    });

  for (const [name, claims] of Object.entries({
    'of a user': USER_ROOT_CLAIMS,
    'of the service': USER_LEAF_CLAIMS,
    'with more actors than a chain has': { ...ROOT_CLAIMS, act: actors(9) },
    'with a number of sixteen digits': { ...ROOT_CLAIMS, exp: 1_000_000_000_000_000 },
  }))
    it(`leaves a token ${name} to be read member by member`, () => {
      const [plain, slow] = readBoth(JSON.stringify(inOrder(claims)));
      expect(plain).to.equal(undefined);
      expect(slow).to.be.an('object');
    });

  it(`reads nothing that is not read member by member, and nothing else (SEED=${SEED})`, () => {
    const values = fc
      .constantFrom(...Object.keys(VALUES))
      .chain((name) =>
        fc.constantFrom(...(VALUES[name] ?? []), ...OTHERS, undefined).map((value) => ({ [name]: value })),
      );
    const cut = fc.tuple(
      fc.nat(900),
      fc.nat(40),
      fc.constantFrom('', '"', ',', '0', '9', '{', '}', 'x', '\\', 'é'),
    );
    const arbitrary = fc.tuple(
      fc.constantFrom(...Object.values(PLAIN)),
      fc.option(values, { freq: 1 }),
      fc.option(fc.constantFrom(...TEXTS), { freq: 1 }),
      fc.option(cut, { freq: 1 }),
    );
    let read = 0;
    fc.assert(
      fc.property(arbitrary, ([claims, change, edit, place]) => {
        let text = JSON.stringify(inOrder({ ...claims, ...change }));
        if (edit !== null) text = edit(text);
        if (place !== null) text = text.slice(0, place[0]) + place[2] + text.slice(place[0] + place[1]);
        const [plain, slow] = readBoth(text);
        if (plain === undefined) return;
        read++;
        expect(plain).to.deep.equal(slow);
      }),
      { numRuns: 30_000, seed: SEED },
    );
    expect(read).to.be.greaterThan(1000);
  });

  it('finds no string where there is an empty one', () => {
    const text = JSON.stringify(inOrder({ ...LEAF_CLAIMS, par_hash: HASH }));
    for (const { 0: found, index } of text.matchAll(/:"[^"]+"/g))
      expect(readPlainClaims(`${text.slice(0, index)}:""${text.slice(index + found.length)}`)).to.equal(
        undefined,
      );
  });
});
