import { hash, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { expect } from 'chai';
import { readCertificateFields } from '../../../../src/crypto/certificate-fields.ts';
import { der, TAG } from '../../../../src/crypto/der.ts';
import { generateEcKeyPair } from '../../../../src/crypto/key-pair.ts';
import { extension, OID } from '../../../../src/crypto/x509-encoding.ts';
import type { ConnectionFiles } from '../../../../src/sdk/http/agent-core.ts';
import { issuedCertificate } from '../../../../src/sdk/http/peer-certificate.ts';
import { LONG, middle, root, signed } from '../../../support/issuance/bad-answers.ts';
import { TestCA } from '../../../support/issuance/test-ca.ts';
import { forgedCertificate, storedAuthority } from '../../crypto/fixture.ts';

/** As Node puts together what a peer has sent and the roots of this end; the last names itself. */
function linked(...pems: readonly string[]): DetailedPeerCertificate {
  const links = pems.map((pem) => ({ raw: new X509Certificate(pem).raw }) as DetailedPeerCertificate);
  for (const [at, link] of links.entries()) link.issuerCertificate = links[at + 1] ?? link;
  const [leaf] = links;
  if (leaf === undefined) throw new Error('nothing to link');
  return leaf;
}

function files(...roots: readonly string[]): ConnectionFiles {
  return filesWith('', ...roots);
}

function filesWith(certificatePem: string, ...roots: readonly string[]): ConnectionFiles {
  const tls = { certificatePem, privateKeyPem: '', caPem: roots.join(''), thumbprint: '' };
  return { identity: '', namespace: '', tls, bundle: undefined };
}

/** A CA with the name and the key identifier of {@link middle} that {@link root} has not signed. */
function impostor(): string {
  const { subject = [], subjectKeyIdentifier = Buffer.alloc(0) } =
    readCertificateFields(middle.certificateDer) ?? {};
  const keyIdentifier = readCertificateFields(root.certificateDer)?.subjectKeyIdentifier ?? Buffer.alloc(0);
  return forgedCertificate({
    issuer: { ...storedAuthority(), subjectDer: root.subjectDer, keyIdentifier },
    keyPair: generateEcKeyPair(256),
    subject,
    isAuthority: true,
    keyUsage: Buffer.of(1, 0x06),
    more: [extension(OID.subjectKeyIdentifier, der(TAG.octetString, subjectKeyIdentifier))],
  });
}

describe('issuedCertificate', () => {
  const [leaf, below] = [signed(), signed({}, middle)];
  const issued = (issuer: TestCA, pem: string) => ({
    issuerDer: issuer.certificateDer,
    serialHex: readCertificateFields(new X509Certificate(pem).raw)?.serialHex,
    root: hash('sha256', root.certificateDer, 'base64url'),
  });

  it('accepts what a root has issued, whatever follows it', () => {
    for (const chain of [[leaf], [leaf, root.pem], [leaf, impostor(), root.pem], [leaf, leaf]])
      expect(issuedCertificate(linked(...chain), files(root.pem))).to.deep.equal(issued(root, leaf));
  });

  it('accepts what a certificate below a root has issued', () => {
    const other = new TestCA({ name: 'other', ...LONG });
    for (const chain of [
      [below, middle.pem],
      [below, middle.pem, root.pem],
    ])
      expect(issuedCertificate(linked(...chain), files(other.pem, root.pem))).to.deep.equal(
        issued(middle, below),
      );
  });

  it('accepts what a certificate below a root has issued that this end sends itself, whatever was sent', () => {
    const own = filesWith(signed({}, middle) + middle.pem, root.pem);
    for (const chain of [[below], [below, impostor()], [below, impostor(), root.pem]])
      expect(issuedCertificate(linked(...chain), own)).to.deep.equal(issued(middle, below));
    expect(issuedCertificate(linked(below), filesWith(middle.pem, root.pem))).to.equal(undefined);
  });

  it('rejects a certificate that only names who has issued it, anywhere in the chain', () => {
    const forged = impostor();
    expect(new X509Certificate(below).checkIssued(new X509Certificate(forged))).to.equal(true);
    expect(new X509Certificate(forged).checkIssued(new X509Certificate(root.pem))).to.equal(true);
    for (const chain of [
      [below, forged],
      [below, forged, root.pem],
      [below, forged, middle.pem, root.pem],
    ])
      expect(issuedCertificate(linked(...chain), files(root.pem))).to.equal(undefined);
  });

  it('rejects what no trusted root is above', () => {
    const other = files(new TestCA({ name: 'root', ...LONG }).pem);
    for (const chain of [[leaf], [leaf, root.pem], [below], [below, middle.pem, root.pem]])
      expect(issuedCertificate(linked(...chain), other)).to.equal(undefined);
    expect(issuedCertificate(linked(below), files(root.pem))).to.equal(undefined);
  });
});
