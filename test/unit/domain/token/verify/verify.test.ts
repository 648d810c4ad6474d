import { expect } from 'chai';
import type { TokenRefusal } from '../../../../../src/domain/token/verify/examine.ts';
import { type Accepted, verify } from '../../../../../src/domain/token/verify/verify.ts';
import { C, NOW, request, storeAt, verifierAt } from '../../../../support/token/scene.ts';
import type { NegativeCase } from './case.ts';
import { FORM_CASES } from './cases-form.ts';
import { PERMISSION_CASES } from './cases-permission.ts';
import { TOKEN_CASES } from './cases-token.ts';

async function outcome({ changes, story, bundle, ...rest }: NegativeCase): Promise<Accepted | TokenRefusal> {
  const { nowSeconds = NOW, store = storeAt(nowSeconds), before = [] } = rest;
  const verifier = verifierAt(C, bundle);
  for (const each of before)
    expect((await verify(each, verifier, { nowSeconds, store })).kind).to.equal('accepted');
  return verify(request(changes, story), verifier, { nowSeconds, store });
}

describe('verify', () => {
  for (const each of [...FORM_CASES, ...TOKEN_CASES, ...PERMISSION_CASES]) {
    it(`${each.row} ${each.what}: ${each.outcome}`, async () => {
      const result = await outcome(each);
      expect(result.kind === 'refused' ? result.name : result.kind).to.equal(each.outcome);
    });
  }
});
