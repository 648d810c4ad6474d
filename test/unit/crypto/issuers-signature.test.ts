import { expect } from 'chai';
import { isIssuersSignature, signerOfIssuers, signIssuers } from '../../../src/crypto/issuers-signature.ts';
import { storedAuthority } from './fixture.ts';

describe('isIssuersSignature', () => {
  const [own, other] = [storedAuthority(), storedAuthority()];
  const signature = signIssuers('text', own);

  it('accepts what one of the generations has signed, and says which', () => {
    expect(isIssuersSignature('text', signature, [other, own])).to.equal(true);
    expect(signerOfIssuers(signature)).to.equal(own.id);
  });

  const REJECTED: readonly (readonly [string, string, string])[] = [
    ['another text', 'texts', signature],
    ['no signature', 'text', ''],
    ['a generation alone', 'text', `${own.id}.`],
    ['something else than a signature', 'text', `${own.id}.AAAA`],
    ['that of another generation in its name', 'text', signature.replace(own.id, other.id)],
    ['that of nobody', 'text', signIssuers('text', storedAuthority())],
  ];
  for (const [title, text, given] of REJECTED) {
    it(`rejects ${title}`, () => expect(isIssuersSignature(text, given, [own, other])).to.equal(false));
  }
});
