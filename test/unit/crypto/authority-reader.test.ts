import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { createAuthority } from '../../../src/crypto/authority.ts';
import {
  type AuthorityRefusal,
  readAuthority,
  readAuthorityCertificate,
} from '../../../src/crypto/authority-reader.ts';
import { der, TAG } from '../../../src/crypto/der.ts';
import { generateEcKeyPair, type KeyPair } from '../../../src/crypto/key-pair.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { distinguishedName, extension, keyIdentifier, OID } from '../../../src/crypto/x509-encoding.ts';
import { type Forgery, forgedCertificate, issuedLeaf, storedAuthority, T0 } from './fixture.ts';

const created = createAuthority({ trustDomain: 'example.org', nowMs: T0 });
const other = createAuthority({ trustDomain: 'example.org', nowMs: T0 });
const signsBoth = Buffer.of(1, 0x06);
const signsCertificates = Buffer.of(2, 0x04);

/** A user's own CA: another subject than ours, and whatever is asked for. */
function ownCa(
  keyPair: KeyPair,
  changes: Partial<Forgery> = {},
): { certificatePem: string; privateKeyPem: string } {
  const subject = [[OID.commonName, 'Example Root']] as const;
  const issuer = {
    privateKey: createPrivateKey({ key: keyPair.pkcs8Der, format: 'der', type: 'pkcs8' }),
    keySize: 256 as const,
    subjectDer: distinguishedName(subject),
    keyIdentifier: keyIdentifier(keyPair.spkiDer),
  };
  const ski = extension(OID.subjectKeyIdentifier, der(TAG.octetString, issuer.keyIdentifier));
  const certificatePem = forgedCertificate({
    issuer,
    keyPair,
    subject,
    isAuthority: true,
    keyUsage: signsBoth,
    more: [ski],
    ...changes,
  });
  return { certificatePem, privateKeyPem: encodePem('PRIVATE KEY', keyPair.pkcs8Der) };
}

function outcome(stored: { certificatePem: string; privateKeyPem: string }): AuthorityRefusal | 'authority' {
  const read = readAuthority({
    certificatePem: Buffer.from(stored.certificatePem),
    privateKeyPem: Buffer.from(stored.privateKeyPem),
  });
  return read.kind === 'authority' ? 'authority' : read;
}

function refusal(reason: AuthorityRefusal['reason'], message: string): AuthorityRefusal {
  return { kind: 'refuse', reason, message };
}

describe('readAuthority', () => {
  for (const keySize of [256, 384] as const) {
    it(`accepts what createAuthority makes on P-${keySize}`, () => {
      const stored = createAuthority({ trustDomain: 'example.org', nowMs: T0, keySize });
      const read = readAuthority({
        certificatePem: Buffer.from(stored.certificatePem),
        privateKeyPem: Buffer.from(stored.privateKeyPem),
      });
      if (read.kind === 'refuse') throw new Error(read.message);
      const { id, notBeforeMs, notAfterMs, certificate, subjectDer } = read.authority;
      expect({ id, notBeforeMs, notAfterMs, keySize: read.authority.keySize }).to.deep.equal({
        id: stored.id,
        notBeforeMs: stored.notBeforeMs,
        notAfterMs: stored.notAfterMs,
        keySize,
      });
      expect(certificate.raw.includes(subjectDer)).to.equal(true);
    });
  }

  it('accepts a CA that a user made', () => {
    expect(outcome(ownCa(generateEcKeyPair(256)))).to.equal('authority');
  });

  const notRead = 'the certificate was not PEM of type CERTIFICATE';
  const noKey = 'the private key is not PKCS#8 in PEM';
  const certificateRefused: Record<
    string,
    { readonly certificatePem: string; readonly expect: AuthorityRefusal }
  > = {
    'an empty certificate': {
      certificatePem: '',
      expect: refusal('CertificateUnreadable', 'the certificate was empty'),
    },
    'a certificate of more than 36,500 bytes': {
      certificatePem: created.certificatePem + ' '.repeat(36_500),
      expect: refusal('CertificateUnreadable', 'the certificate was larger than 36500 bytes'),
    },
    'two certificates': {
      certificatePem: created.certificatePem + other.certificatePem,
      expect: refusal('CertificateUnreadable', 'the certificate held more than 1 PEM blocks'),
    },
    'a key in place of the certificate': {
      certificatePem: created.privateKeyPem,
      expect: refusal('CertificateUnreadable', notRead),
    },
    'a certificate that is none': {
      certificatePem: encodePem('CERTIFICATE', Buffer.from('3003020101', 'hex')),
      expect: refusal('CertificateUnreadable', 'the certificate was not read'),
    },
  };
  for (const [name, given] of Object.entries(certificateRefused)) {
    it(`rejects ${name}`, () => {
      expect(outcome({ ...created, certificatePem: given.certificatePem })).to.deep.equal(given.expect);
    });
  }

  it('rejects a leaf', async () => {
    const { certificatePem } = await issuedLeaf(storedAuthority());
    expect(outcome({ ...created, certificatePem })).to.deep.equal(
      refusal('NotAnAuthority', 'the certificate is not one of an authority'),
    );
  });

  const forgeries: Record<string, { readonly changes: Partial<Forgery>; readonly expect: AuthorityRefusal }> =
    {
      'a CA that may not sign certificates': {
        changes: { keyUsage: Buffer.of(7, 0x80) },
        expect: refusal('NotAnAuthority', 'the certificate is not one of an authority'),
      },
      'a CA that may not sign revocation lists': {
        changes: { keyUsage: signsCertificates },
        expect: refusal('NotAnAuthority', 'the certificate may not sign revocation lists'),
      },
      'a CA without subject key identifier': {
        changes: { more: [] },
        expect: refusal('NotAnAuthority', 'the certificate is not one of an authority'),
      },
      'an intermediate CA': {
        changes: { issuer: storedAuthority() },
        expect: refusal('NotSelfSigned', 'the certificate is not signed by itself'),
      },
      'a critical extension that is not known': {
        changes: { more: [extension('2.5.29.36', der(TAG.sequence), 'critical')] },
        expect: refusal('CertificateUnreadable', 'the certificate was not read'),
      },
      'a constraint on names': {
        changes: { more: [extension('2.5.29.30', der(TAG.sequence), 'critical')] },
        expect: refusal('CertificateUnreadable', 'the certificate constrains names'),
      },
    };
  for (const [name, { changes, expect: wanted }] of Object.entries(forgeries)) {
    it(`rejects ${name}`, () =>
      expect(outcome(ownCa(generateEcKeyPair(256), changes))).to.deep.equal(wanted));
  }

  it('rejects an authority on another curve', () => {
    const { publicKey: spkiDer, privateKey: pkcs8Der } = generateKeyPairSync('ec', {
      namedCurve: 'P-521',
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    });
    const algorithm = { algorithm: 'ECDSA', size: 256 } as const; // not true, and nobody looks
    expect(outcome(ownCa({ spkiDer, pkcs8Der, algorithm }))).to.deep.equal(
      refusal('UnsupportedAlgorithm', 'the key of an authority must be ECDSA P-256 or P-384'),
    );
  });

  const keyRefused: Record<string, { readonly privateKeyPem: string; readonly expect: AuthorityRefusal }> = {
    'no key': { privateKeyPem: '', expect: refusal('KeyUnreadable', noKey) },
    'a key of more than 13,000 bytes': {
      privateKeyPem: created.privateKeyPem + '\n'.repeat(13_000),
      expect: refusal('KeyUnreadable', noKey),
    },
    'a key in SEC1 form': {
      privateKeyPem: createPrivateKey(created.privateKeyPem)
        .export({ type: 'sec1', format: 'pem' })
        .toString(),
      expect: refusal('KeyUnreadable', noKey),
    },
    'a key of garbage': {
      privateKeyPem: encodePem('PRIVATE KEY', Buffer.alloc(100, 7)),
      expect: refusal('KeyUnreadable', noKey),
    },
    'the key of another authority': {
      privateKeyPem: other.privateKeyPem,
      expect: refusal('KeyMismatch', 'the private key is not that of the certificate'),
    },
  };
  for (const [name, given] of Object.entries(keyRefused)) {
    it(`rejects ${name}`, () => {
      expect(outcome({ ...created, privateKeyPem: given.privateKeyPem })).to.deep.equal(given.expect);
    });
  }

  it('never names content in a refusal', () => {
    const stored = { certificatePem: created.certificatePem, privateKeyPem: other.privateKeyPem };
    const text = JSON.stringify(outcome(stored));
    const secrets = [stored.privateKeyPem, stored.certificatePem].flatMap((pem) =>
      pem.split('\n').slice(1, 3),
    );
    expect(secrets.filter((secret) => text.includes(secret))).to.deep.equal([]);
  });
});

describe('readAuthorityCertificate', () => {
  it('takes the id of our own generations from the subject', () => {
    const read = readAuthorityCertificate(Buffer.from(created.certificatePem));
    expect(read).to.have.nested.property('certificate.id', created.id);
  });

  it('makes an id for other authorities, the same each time and another for each', () => {
    const pems = [ownCa(generateEcKeyPair(256)), ownCa(generateEcKeyPair(256))].map(
      (ca) => ca.certificatePem,
    );
    const ids = [...pems, ...pems].map((pem) => {
      const read = readAuthorityCertificate(Buffer.from(pem));
      return read.kind === 'certificate' ? read.certificate.id : read.reason;
    });
    expect(ids.slice(0, 2)).to.deep.equal(ids.slice(2));
    expect(new Set(ids).size).to.equal(2);
    expect(ids.join(' ')).to.match(/^([0-9a-f]{16} ?){4}$/);
  });
});
