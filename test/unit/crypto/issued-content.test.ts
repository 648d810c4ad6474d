import { hash } from 'node:crypto';
import { expect } from 'chai';
import { inspectSecret } from '../../../src/crypto/inspect.ts';
import { issuedContent } from '../../../src/crypto/issued-content.ts';
import { generateKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import type { LeafProfile } from '../../../src/domain/certificate/profile.ts';
import { profile, secretData, storedAuthority, validity } from './fixture.ts';

const authority = storedAuthority();
const bundle = authority.certificatePem;

const PROFILES: Readonly<Record<string, LeafProfile>> = {
  'a P-256 leaf': profile,
  'a P-384 leaf': { ...profile, key: { algorithm: 'ECDSA', size: 384 } },
  'an RSA leaf': { ...profile, key: { algorithm: 'RSA', size: 2048 } },
  'a leaf without a common name': { ...profile, commonName: undefined },
};

describe('issuedContent', () => {
  for (const [what, each] of Object.entries(PROFILES)) {
    it(`says of ${what} what inspection finds`, async () => {
      const signer = new LeafSigner(authority);
      // Often enough for serial numbers that begin with zeros.
      const count = each.key.algorithm === 'RSA' ? 2 : 600;
      for (let round = 0; round < count; round++) {
        const leaf = signer.issueLeaf(each, validity, await generateKeyPair(each.key));
        const trustBundleSha256 = hash('sha256', bundle, 'hex');
        const content = issuedContent({ profile: each, leaf, authorityId: authority.id, trustBundleSha256 });
        expect(content).to.deep.equal(inspectSecret(secretData(leaf, bundle), [authority]));
      }
    });
  }
});
