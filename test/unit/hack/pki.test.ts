/** The certificates of a test control plane, read by another implementation. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { createAuthority } from '../../../hack/control-plane/pki.ts';

describe('createAuthority', () => {
  const authority = createAuthority('root');
  const root = new X509Certificate(authority.certificate);

  it('makes a root that signed itself', () => {
    expect(root.ca).to.equal(true);
    expect(root.subject).to.equal('CN=root');
    expect(root.checkIssued(root) && root.verify(root.publicKey)).to.equal(true);
  });

  it('issues server certificates', () => {
    const { certificate, privateKey } = authority.issue({
      commonName: 'server',
      dnsNames: ['localhost', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1', '10.96.0.1'],
      usage: 'server',
    });
    const leaf = new X509Certificate(certificate);
    expect(leaf.ca).to.equal(false);
    expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).to.equal(true);
    expect(leaf.checkPrivateKey(createPrivateKey(privateKey))).to.equal(true);
    expect(leaf.subjectAltName).to.equal(
      'DNS:localhost, DNS:kubernetes.default.svc, IP Address:127.0.0.1, IP Address:10.96.0.1',
    );
    expect(leaf.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
  });

  it('issues client certificates', () => {
    const { certificate } = authority.issue({
      commonName: 'admin',
      organizations: ['system:masters'],
      usage: 'client',
    });
    const leaf = new X509Certificate(certificate);
    expect(leaf.subject).to.equal('O=system:masters\nCN=admin');
    expect(leaf.subjectAltName).to.equal(undefined);
    expect(leaf.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.2']);
  });

  it('is valid now and for a year', () => {
    const days = (Date.parse(root.validTo) - Date.parse(root.validFrom)) / (24 * 60 * 60 * 1000);
    expect(Date.parse(root.validFrom)).to.be.lessThan(Date.now());
    expect(Math.round(days)).to.equal(365);
  });
});
