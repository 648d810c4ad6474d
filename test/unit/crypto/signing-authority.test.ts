import { expect } from 'chai';
import { signingAuthorityId } from '../../../src/crypto/signing-authority.ts';
import { issuedLeaf, storedAuthority } from './fixture.ts';

const authority = storedAuthority();
const other = storedAuthority({ keySize: 384 });
const pem = Buffer.from((await issuedLeaf(authority)).certificatePem);

describe('signingAuthorityId', () => {
  it('accepts the authority that signed, wherever it stands', () => {
    expect([
      signingAuthorityId(pem, [authority]),
      signingAuthorityId(pem, [other, authority]),
      signingAuthorityId(pem, [authority, other]),
    ]).to.deep.equal([authority.id, authority.id, authority.id]);
  });

  it('rejects every other, and what is no certificate', () => {
    expect([
      signingAuthorityId(pem, []),
      signingAuthorityId(pem, [other]),
      signingAuthorityId(pem, [storedAuthority()]),
      signingAuthorityId(Buffer.from('garbage'), [authority]),
      signingAuthorityId(Buffer.alloc(200_000, 65), [authority]),
    ]).to.deep.equal([undefined, undefined, undefined, undefined, undefined]);
  });
});
