import { expect } from 'chai';
import { parseIssuers } from '../../../src/cmd/issuers-flag.ts';
import { middle, root } from '../../support/issuance/bad-answers.ts';
import { storedAuthority } from '../crypto/fixture.ts';

describe('parseIssuers', () => {
  it('fills in what is left out, and reads CAs', () => {
    const text = JSON.stringify([
      { name: 'agents-ca' },
      { name: 'local', kind: 'Issuer', ca: root.pem, former: true },
      { name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' },
    ]);
    const read = parseIssuers(text)?.map(({ certificates, isFormer, ...ref }) => [
      ref,
      isFormer,
      certificates.length,
    ]);
    expect(read).to.deep.equal([
      [{ name: 'agents-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' }, false, 0],
      [{ name: 'local', kind: 'Issuer', group: 'cert-manager.io' }, true, 1],
      [{ name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' }, false, 0],
    ]);
  });

  it('accepts none', () => expect(parseIssuers('[]')).to.deep.equal([]));

  const BAD: readonly (readonly [string, string])[] = [
    ['no JSON', 'agents-ca'],
    ['no list', '{"name":"agents-ca"}'],
    ['a name alone', '["agents-ca"]'],
    ['no name', '[{"kind":"Issuer"}]'],
    ['a name with a quote, which would leave the policy', `[{"name":"a' || true"}]`],
    ['a kind with a quote', `[{"name":"a","kind":"X'"}]`],
    ['a member that nobody knows', '[{"name":"a","namespace":"b"}]'],
    ['a former one in words', '[{"name":"a","former":"true"}]'],
    ['one issuer twice', '[{"name":"a"},{"name":"a","kind":"ClusterIssuer"}]'],
    ['a CA that is no PEM', '[{"name":"a","ca":"x"}]'],
    ['an intermediate as CA', JSON.stringify([{ name: 'a', ca: middle.pem }])],
    ['the built-in authority as CA', JSON.stringify([{ name: 'a', ca: storedAuthority().certificatePem }])],
  ];
  for (const [title, text] of BAD) {
    it(`rejects ${title}`, () => expect(parseIssuers(text)).to.equal(undefined));
  }
});
