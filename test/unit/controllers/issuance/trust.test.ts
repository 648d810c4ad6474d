import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { AuthorityState } from '../../../../src/controllers/authority/authority-state.ts';
import { joined, withIssuers } from '../../../../src/controllers/issuance/trust.ts';
import type { AuthorityCertificate } from '../../../../src/crypto/authority-reader.ts';
import { readIssuerCertificates } from '../../../../src/crypto/issuer-certificates.ts';
import { root } from '../../../support/issuance/bad-answers.ts';

const read = readIssuerCertificates(Buffer.from(root.pem));
const trusted: readonly AuthorityCertificate[] = read.kind === 'certificates' ? read.certificates : [];
const OWN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const ready = { kind: 'ready', bundlePem: OWN, bundleSha256: 'x' } as Extract<
  AuthorityState,
  { kind: 'ready' }
>;

describe('withIssuers', () => {
  it('adds the CAs behind the generations, with the digest of all', () => {
    const state = withIssuers({ isComplete: true, trusted })(ready);
    const bundlePem = OWN + root.pem;
    const bundleSha256 = createHash('sha256').update(bundlePem).digest('hex');
    expect(state).to.deep.equal({ ...ready, bundlePem, bundleSha256 });
  });

  it('is pending until the book is complete', () => {
    expect(withIssuers({ isComplete: false, trusted: [] })(ready)).to.deep.equal({ kind: 'pending' });
  });

  it('gives the same state for the same, and leaves others alone', () => {
    const add = withIssuers({ isComplete: true, trusted });
    expect(add(ready)).to.equal(add(ready));
    expect(add({ ...ready })).to.not.equal(add(ready));
    const unavailable: AuthorityState = { kind: 'unavailable', message: 'x' };
    expect(add(unavailable)).to.equal(unavailable);
    expect(withIssuers({ isComplete: true, trusted: [] })(ready)).to.equal(ready);
  });

  it('adds no CA twice', () => {
    const both = { ...ready, bundlePem: OWN + root.pem };
    const state = withIssuers({ isComplete: true, trusted: [...trusted, ...trusted] })(both);
    expect(state).to.include({ bundlePem: both.bundlePem });
  });
});

describe('joined', () => {
  it('gives one list, the same as long as both are', () => {
    let second = [3];
    const first = [1, 2];
    const list = joined(
      () => first,
      () => second,
    );
    expect(list()).to.deep.equal([1, 2, 3]);
    expect(list()).to.equal(list());
    second = [];
    expect(list()).to.equal(first);
  });
});
