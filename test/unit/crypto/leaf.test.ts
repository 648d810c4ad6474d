import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readCertificateFields } from '../../../src/crypto/certificate-fields.ts';
import { generateEcKeyPair, generateKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { readPrivateKey } from '../../../src/crypto/private-key.ts';
import { SerialSource } from '../../../src/crypto/serial.ts';
import type { KeyProfile, LeafProfile } from '../../../src/domain/certificate/profile.ts';
import { issuedLeaf, opensslVerify, profile, storedAuthority, T0, validity } from './fixture.ts';

const authority = storedAuthority();
const keys: readonly KeyProfile[] = [
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'RSA', size: 2048 },
  { algorithm: 'RSA', size: 3072 },
  { algorithm: 'RSA', size: 4096 },
];
const manyNames = Array.from(
  { length: 18 },
  (_, at) => `${'n'.repeat(63)}.${'m'.repeat(63)}.s${at}.ai-agents.svc`,
);

const variants: Record<string, Partial<LeafProfile>> = {
  'without common name': { commonName: undefined },
  'without subject': { commonName: undefined, organization: undefined },
  'without DNS names and extended usages': { dnsNames: [], extendedKeyUsages: [] },
  'with 18 long DNS names': { dnsNames: manyNames },
  'with a SPIFFE ID of 2048 bytes': { spiffeId: `spiffe://example.org/${'a'.repeat(2048 - 21)}` },
};

describe('LeafSigner.issueLeaf', () => {
  for (const keySize of [256, 384] as const) {
    for (const key of keys) {
      it(`issues ${key.algorithm} ${key.size} under P-${keySize}: OpenSSL's strict check accepts it`, async () => {
        const issuer = storedAuthority({ keySize });
        const leaf = await issuedLeaf(issuer, { key });
        const question = { trustBundle: issuer.certificatePem, certificate: leaf.certificatePem, atMs: T0 };
        const certificate = new X509Certificate(leaf.certificatePem);
        const privateKey = readPrivateKey(Buffer.from(leaf.privateKeyPem));
        expect({
          issued: certificate.checkIssued(issuer.certificate),
          verified: certificate.verify(issuer.publicKey),
          paired: privateKey !== undefined && certificate.checkPrivateKey(privateKey),
          server: await opensslVerify({ ...question, purpose: 'sslserver' }),
          client: await opensslVerify({ ...question, purpose: 'sslclient' }),
        }).to.deep.equal({ issued: true, verified: true, paired: true, server: 'OK', client: 'OK' });
      });
    }
  }

  for (const [name, changes] of Object.entries(variants)) {
    it(`issues a leaf ${name}: OpenSSL's strict check accepts it`, async () => {
      const { certificatePem } = await issuedLeaf(authority, changes);
      const question = { trustBundle: authority.certificatePem, certificate: certificatePem, atMs: T0 };
      expect(await opensslVerify({ ...question, purpose: 'sslserver' })).to.equal('OK');
      expect(await opensslVerify({ ...question, purpose: 'sslclient' })).to.equal('OK');
    });
  }

  it('issues 500 leaves that all verify, each with a key and a serial of its own', () => {
    const signer = new LeafSigner(authority);
    const seen = new Set<string>();
    for (let count = 0; count < 500; count++) {
      const leaf = signer.issueLeaf(profile, validity, generateEcKeyPair(256));
      const certificate = new X509Certificate(leaf.certificatePem);
      const privateKey = readPrivateKey(Buffer.from(leaf.privateKeyPem));
      if (privateKey === undefined) throw new Error('the private key was not read');
      expect([
        certificate.checkIssued(authority.certificate),
        certificate.verify(authority.publicKey),
        certificate.checkPrivateKey(privateKey),
        certificate.serialNumber.toLowerCase(),
      ]).to.deep.equal([true, true, true, leaf.serialHex]);
      seen.add(leaf.serialHex).add(leaf.privateKeyPem);
    }
    expect(seen.size).to.equal(1_000);
  });

  it('overwrites the bytes of the private key', () => {
    const pair = generateEcKeyPair(256);
    new LeafSigner(authority).issueLeaf(profile, validity, pair);
    expect(pair.pkcs8Der.equals(Buffer.alloc(pair.pkcs8Der.length))).to.equal(true);
  });

  it('says what the profile asks for and nothing else', async () => {
    const leaf = await issuedLeaf(authority);
    const certificate = new X509Certificate(leaf.certificatePem);
    expect({
      subject: certificate.subject,
      issuer: certificate.issuer,
      names: certificate.subjectAltName,
      isAuthority: certificate.ca,
      from: certificate.validFrom,
      to: certificate.validTo,
      infoAccess: certificate.infoAccess,
    }).to.deep.equal({
      subject: 'O=ai-agents\nCN=agent-deployer.ai-agents',
      issuer: authority.certificate.subject,
      names:
        'URI:spiffe://example.org/ns/ai-agents/sa/agent-deployer, DNS:agent-deployer.ai-agents.svc, DNS:agent-deployer.ai-agents.svc.cluster.local',
      isAuthority: false,
      from: 'Dec 31 23:58:00 2025 GMT',
      to: 'Jan  2 00:00:00 2026 GMT',
      infoAccess: undefined,
    });
  });

  it('gives back what the Secret, the ledger and the status need', async () => {
    const { notBeforeMs, notAfterMs, serialHex } = await issuedLeaf(authority);
    expect({ notBeforeMs, notAfterMs }).to.deep.equal(validity);
    expect(serialHex).to.match(/^[0-9a-f]{32}$/);
  });
});

describe('LeafSigner.issue', () => {
  const pair = generateEcKeyPair(256);
  // OCTET STRING of an OBJECT IDENTIFIER, `critical`, and the value: as it must stand in the certificate.
  const critical: Record<string, string> = {
    keyUsage: '0603551d0f0101ff0404030207 80',
    basicConstraints: '0603551d130101ff04023000',
  };

  function issueHex(changes: Partial<LeafProfile>, serials?: SerialSource): string {
    const signer = new LeafSigner(authority, serials);
    return signer.issue({ ...profile, ...changes }, validity, pair.spkiDer).certificateDer.toString('hex');
  }

  for (const [name, hex] of Object.entries(critical)) {
    it(`writes ${name} as critical`, () => expect(issueHex({})).to.include(hex.replace(' ', '')));
  }

  it('writes subjectAltName as critical only when there is no subject', () => {
    expect(issueHex({})).to.not.include('0603551d110101ff');
    expect(issueHex({ commonName: undefined })).to.not.include('0603551d110101ff');
    expect(issueHex({ commonName: undefined, organization: undefined })).to.include('0603551d110101ff');
  });

  it('leaves extKeyUsage out when no usage is asked for', () => {
    expect(issueHex({})).to.include('0603551d25');
    expect(issueHex({ extendedKeyUsages: [] })).to.not.include('0603551d25');
  });

  it('writes a serial with the highest bit set as a positive number', () => {
    const ones = new SerialSource((pool) => pool.fill(0xff));
    expect(issueHex({}, ones)).to.include(`021100${'ff'.repeat(16)}`);
  });

  it('writes a serial that begins with zeros in the shortest form', () => {
    const zeros = new SerialSource((pool) => pool.fill(0));
    expect(issueHex({}, zeros)).to.include(`021001${'00'.repeat(15)}`);
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050', () => {
    const last = Date.UTC(2049, 11, 31, 23, 59, 59);
    const { certificateDer } = new LeafSigner(authority).issue(
      profile,
      { notBeforeMs: last, notAfterMs: last + 1000 },
      pair.spkiDer,
    );
    const times = Buffer.from('\x17\x0d491231235959Z\x18\x0f20500101000000Z', 'latin1');
    expect(certificateDer.includes(times)).to.equal(true);
    const fields = readCertificateFields(certificateDer);
    expect([fields?.notBeforeMs, fields?.notAfterMs]).to.deep.equal([last, last + 1000]);
  });

  it('takes any public key as it is', async () => {
    const { spkiDer } = await generateKeyPair({ algorithm: 'RSA', size: 2048 });
    const { certificateDer } = new LeafSigner(authority).issue(profile, validity, spkiDer);
    const { publicKey } = new X509Certificate(certificateDer);
    expect(publicKey.export({ format: 'der', type: 'spki' }).equals(spkiDer)).to.equal(true);
  });

  it('gives each certificate memory of its own', () => {
    const signer = new LeafSigner(authority);
    const { certificateDer } = signer.issue(profile, validity, pair.spkiDer);
    const before = Buffer.from(certificateDer);
    signer.issue({ ...profile, organization: 'other' }, validity, pair.spkiDer);
    expect(certificateDer.equals(before)).to.equal(true);
  });
});
