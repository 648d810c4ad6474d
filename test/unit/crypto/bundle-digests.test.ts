import { hash } from 'node:crypto';
import { expect } from 'chai';
import { bundleDigests } from '../../../src/crypto/bundle-digests.ts';
import { storedAuthority } from './fixture.ts';

const [FIRST, SECOND] = [storedAuthority(), storedAuthority()];
const BOTH = FIRST.certificatePem + SECOND.certificatePem;

describe('bundleDigests', () => {
  it('gives the digest of each certificate', () => {
    const digests = [FIRST, SECOND].map(({ certificate }) => hash('sha256', certificate.raw, 'hex'));
    expect(bundleDigests(Buffer.from(BOTH))).to.deep.equal(digests);
  });

  for (const [what, text] of Object.entries({
    'no text': '',
    'other text beside them': `# roots\n${BOTH}`,
    'a key beside them': BOTH + FIRST.privateKeyPem,
    'a bundle of more than 64': BOTH.repeat(33),
  })) {
    it(`gives nothing for ${what}`, () => expect(bundleDigests(Buffer.from(text))).to.deep.equal([]));
  }
});
