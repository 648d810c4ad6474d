import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { readCertificateFields } from '../../../src/crypto/certificate-fields.ts';
import { readPrivateKey } from '../../../src/crypto/private-key.ts';
import { T0 } from './fixture.ts';

const DAY_MS = 86_400_000;

describe('createAuthority', () => {
  for (const [keySize, curve] of [
    [256, 'prime256v1'],
    [384, 'secp384r1'],
  ] as const) {
    it(`makes a self-signed generation on P-${keySize}`, () => {
      const created = createAuthority({ trustDomain: 'example.org', nowMs: T0 + 250, keySize });
      const certificate = new X509Certificate(created.certificatePem);
      const fields = readCertificateFields(certificate.raw);
      const privateKey = readPrivateKey(Buffer.from(created.privateKeyPem));
      expect({
        selfIssued: certificate.checkIssued(certificate),
        selfSigned: certificate.verify(certificate.publicKey),
        paired: privateKey !== undefined && certificate.checkPrivateKey(privateKey),
        curve: certificate.publicKey.asymmetricKeyDetails?.namedCurve,
        subject: certificate.subject,
        usages: fields?.keyUsages,
        isAuthority: fields?.isAuthority,
        validity: [fields?.notBeforeMs, fields?.notAfterMs],
        names: certificate.subjectAltName,
      }).to.deep.equal({
        selfIssued: true,
        selfSigned: true,
        paired: true,
        curve,
        subject: `O=example.org\nCN=agent-trust authority\nserialNumber=${created.id}`,
        usages: ['keyCertSign', 'cRLSign'],
        isAuthority: true,
        validity: [T0 - 120_000, T0 + 30 * DAY_MS],
        names: undefined,
      });
      expect([created.notBeforeMs, created.notAfterMs]).to.deep.equal([T0 - 120_000, T0 + 30 * DAY_MS]);
    });
  }

  it('writes keyUsage and a basicConstraints with a path length of 0, both critical', () => {
    const { certificatePem } = createAuthority({ trustDomain: 'example.org', nowMs: T0 });
    const hex = new X509Certificate(certificatePem).raw.toString('hex');
    expect(hex).to.include('0603551d0f0101ff040403020106');
    expect(hex).to.include('0603551d130101ff040830060101ff020100');
  });

  it('lives as long as asked', () => {
    const { notAfterMs } = createAuthority({ trustDomain: 'example.org', nowMs: T0, lifeMs: DAY_MS });
    expect(notAfterMs).to.equal(T0 + DAY_MS);
  });

  it('gives each generation an id, a subject and a key of its own', () => {
    const created = [1, 2].map(() => createAuthority({ trustDomain: 'example.org', nowMs: T0 }));
    const [first, second] = created.map(({ certificatePem }) => new X509Certificate(certificatePem));
    expect(new Set(created.map(({ id }) => id)).size).to.equal(2);
    expect(first?.subject).to.not.equal(second?.subject);
    expect(first?.publicKey.equals(second?.publicKey ?? first.publicKey)).to.equal(false);
  });

  it('leaves out an organization of more than 64 bytes', () => {
    const { certificatePem, id } = createAuthority({ trustDomain: 'a'.repeat(65), nowMs: T0 });
    expect(new X509Certificate(certificatePem).subject).to.equal(
      `CN=agent-trust authority\nserialNumber=${id}`,
    );
  });
});
