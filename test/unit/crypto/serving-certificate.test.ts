import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readCertificateFields } from '../../../src/crypto/certificate-fields.ts';
import {
  createServingCertificate,
  readServingPair,
  readTrusted,
} from '../../../src/crypto/serving-certificate.ts';
import { T0 } from './fixture.ts';

const REQUEST = {
  commonName: 'hook',
  dnsNames: ['hook.system.svc', 'hook'],
  nowMs: T0 + 250,
  lifeMs: 3_600_000,
};

describe('createServingCertificate', () => {
  it('makes a certificate that vouches for itself and is good for a server only', () => {
    const { certificatePem, privateKeyPem } = createServingCertificate(REQUEST);
    const certificate = new X509Certificate(certificatePem);
    const fields = readCertificateFields(certificate.raw);
    expect({
      selfSigned: certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey),
      subject: certificate.subject,
      names: certificate.subjectAltName,
      usages: fields?.keyUsages,
      purposes: fields?.extendedKeyUsages,
      isAuthority: fields?.isAuthority,
      validity: [fields?.notBeforeMs, fields?.notAfterMs],
      key: privateKeyPem.split('\n')[0],
    }).to.deep.equal({
      selfSigned: true,
      subject: 'CN=hook',
      names: 'DNS:hook.system.svc, DNS:hook',
      usages: ['digitalSignature'],
      purposes: ['serverAuth'],
      isAuthority: false,
      validity: [T0 - 120_000, T0 + 3_600_000],
      key: '-----BEGIN PRIVATE KEY-----',
    });
  });
});

describe('readServingPair', () => {
  const pair = createServingCertificate(REQUEST);
  const other = createServingCertificate(REQUEST);
  const read = (certificatePem: string, privateKeyPem: string) =>
    readServingPair(Buffer.from(certificatePem), Buffer.from(privateKeyPem));

  it('accepts a certificate with its key, and says what it says', () => {
    const certificate = new X509Certificate(pair.certificatePem);
    expect(read(pair.certificatePem, pair.privateKeyPem)).to.deep.equal({
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      certificatePem: pair.certificatePem,
      notBeforeMs: T0 - 120_000,
      notAfterMs: T0 + 3_600_000,
      dnsNames: ['hook.system.svc', 'hook'],
    });
  });

  for (const [what, certificatePem, privateKeyPem] of [
    ['nothing', '', ''],
    ['a certificate without a key', pair.certificatePem, ''],
    ['the key of another certificate', pair.certificatePem, other.privateKeyPem],
    ['two certificates', pair.certificatePem + other.certificatePem, pair.privateKeyPem],
    ['garbage', 'garbage', pair.privateKeyPem],
  ] as const) {
    it(`rejects ${what}`, () => {
      expect(read(certificatePem, privateKeyPem)).to.equal(undefined);
    });
  }
});

describe('readTrusted', () => {
  const first = createServingCertificate(REQUEST);
  const second = createServingCertificate(REQUEST);
  const read = (text: string) => readTrusted(Buffer.from(text)).map(({ certificatePem }) => certificatePem);

  it('reads each certificate once, in order', () => {
    const text = second.certificatePem + first.certificatePem + second.certificatePem;
    expect(read(text)).to.deep.equal([second.certificatePem, first.certificatePem]);
  });

  it('reads nothing where something else stands between', () => {
    expect([read(''), read(`${first.certificatePem}x`), read(first.privateKeyPem)]).to.deep.equal([
      [],
      [],
      [],
    ]);
  });
});
