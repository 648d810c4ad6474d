import { createPrivateKey, hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { der, TAG } from '../../../src/crypto/der.ts';
import { inspectSecret } from '../../../src/crypto/inspect.ts';
import { generateEcKeyPair, generateKeyPair, type KeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { distinguishedName, extension, keyIdentifier, OID } from '../../../src/crypto/x509-encoding.ts';
import { type Deviation, leafDeviations } from '../../../src/domain/certificate/deviation.ts';
import type { CertificateFacts, SecretContent } from '../../../src/domain/certificate/facts.ts';
import type { LeafProfile } from '../../../src/domain/certificate/profile.ts';
import {
  type Forgery,
  forgedCertificate,
  issuedLeaf,
  profile,
  secretData,
  storedAuthority,
  validity,
} from './fixture.ts';

const authority = storedAuthority();
const other = storedAuthority({ keySize: 384 });
const trusted = [other, authority];
const bundle = authority.certificatePem + other.certificatePem;
const leaf = await issuedLeaf(authority);
const data = secretData(leaf, bundle);

const good: SecretContent = {
  certificate: {
    kind: 'certificate',
    serialHex: leaf.serialHex,
    ...validity,
    uris: [profile.spiffeId],
    dnsNames: profile.dnsNames,
    otherNameCount: 0,
    commonName: 'agent-deployer.ai-agents',
    organization: 'ai-agents',
    otherSubjectAttributeCount: 0,
    isAuthority: false,
    keyUsages: ['digitalSignature'],
    extendedKeyUsages: ['clientAuth', 'serverAuth'],
    keyAlgorithm: 'ECDSA',
    keySize: 256,
    authorityId: authority.id,
    chainLength: 1,
  },
  privateKey: { kind: 'readable' },
  keyMatches: true,
  trustBundleSha256: hash('sha256', bundle, 'hex'),
  combinedMatches: true,
};

function factsOf(certificatePem: string): CertificateFacts {
  const { certificate } = inspectSecret({ 'tls.crt': Buffer.from(certificatePem) }, trusted);
  if (certificate.kind === 'problem') throw new Error(certificate.problem);
  return certificate;
}

function deviationsOf(facts: CertificateFacts): readonly Deviation[] {
  return leafDeviations(profile, facts, authority.notAfterMs);
}

describe('inspectSecret', () => {
  it('finds what a good Secret holds, and nothing of the key', () => {
    expect(inspectSecret(data, trusted)).to.deep.equal(good);
  });

  const kinds: readonly LeafProfile['key'][] = [
    { algorithm: 'ECDSA', size: 384 },
    { algorithm: 'RSA', size: 2048 },
    { algorithm: 'RSA', size: 3072 },
  ];
  for (const key of kinds) {
    it(`finds a good pair of ${key.algorithm} ${key.size}`, async () => {
      const issued = await issuedLeaf(other, { key });
      expect(inspectSecret(secretData(issued, bundle), trusted)).to.deep.equal({
        ...good,
        certificate: {
          ...good.certificate,
          serialHex: issued.serialHex,
          keyAlgorithm: key.algorithm,
          keySize: key.size,
          authorityId: other.id,
        },
      });
    });
  }

  const missing = { kind: 'problem', problem: 'was missing' } as const;
  const changes: Record<
    string,
    { readonly data: Record<string, Buffer | undefined>; readonly expect: Partial<SecretContent> }
  > = {
    'no data at all': {
      data: {
        'tls.crt': undefined,
        'tls.key': undefined,
        'ca.crt': undefined,
        'tls-combined.pem': undefined,
      },
      expect: {
        certificate: missing,
        privateKey: missing,
        keyMatches: false,
        trustBundleSha256: undefined,
        combinedMatches: false,
      },
    },
    'an empty certificate': {
      data: { 'tls.crt': Buffer.alloc(0) },
      expect: {
        certificate: { kind: 'problem', problem: 'was empty' },
        keyMatches: false,
        combinedMatches: false,
      },
    },
    'a huge certificate': {
      data: { 'tls.crt': Buffer.alloc(1_000_000, leaf.certificatePem) },
      expect: {
        certificate: { kind: 'problem', problem: 'was larger than 95000 bytes' },
        keyMatches: false,
        combinedMatches: false,
      },
    },
    'a certificate of garbage': {
      data: { 'tls.crt': Buffer.from(encodePem('CERTIFICATE', Buffer.from('garbage'))) },
      expect: {
        certificate: { kind: 'problem', problem: 'was not a certificate' },
        keyMatches: false,
        combinedMatches: false,
      },
    },
    'a missing key': {
      data: { 'tls.key': undefined },
      expect: { privateKey: missing, keyMatches: false, combinedMatches: false },
    },
    'another key': {
      data: { 'tls.key': Buffer.from(encodePem('PRIVATE KEY', generateEcKeyPair(256).pkcs8Der)) },
      expect: { keyMatches: false, combinedMatches: false },
    },
    'an encrypted key': {
      data: { 'tls.key': Buffer.from(leaf.privateKeyPem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE')) },
      expect: {
        privateKey: { kind: 'problem', problem: 'was not PEM of type PRIVATE KEY' },
        keyMatches: false,
        combinedMatches: false,
      },
    },
    'another ca.crt': {
      data: { 'ca.crt': Buffer.from(authority.certificatePem) },
      expect: { trustBundleSha256: hash('sha256', authority.certificatePem, 'hex') },
    },
    'a huge ca.crt': { data: { 'ca.crt': Buffer.alloc(330_001) }, expect: { trustBundleSha256: undefined } },
    'a combined PEM in the wrong order': {
      data: { 'tls-combined.pem': Buffer.from(leaf.certificatePem + leaf.privateKeyPem) },
      expect: { combinedMatches: false },
    },
    'a combined PEM with something after it': {
      data: {
        'tls-combined.pem': Buffer.concat([data['tls-combined.pem'] ?? Buffer.alloc(0), Buffer.of(10)]),
      },
      expect: { combinedMatches: false },
    },
    'a certificate after the leaf': {
      data: { 'tls.crt': Buffer.from(leaf.certificatePem + authority.certificatePem) },
      expect: {
        certificate: { ...(good.certificate as CertificateFacts), chainLength: 2 },
        combinedMatches: false,
      },
    },
  };
  for (const [name, given] of Object.entries(changes)) {
    it(`finds ${name}`, () => {
      expect(inspectSecret({ ...data, ...given.data }, trusted)).to.deep.equal({ ...good, ...given.expect });
    });
  }

  it('finds that nobody trusted signed the leaf', () => {
    expect(factsOf(leaf.certificatePem).authorityId).to.equal(authority.id);
    expect(inspectSecret(data, [other])).to.have.nested.property('certificate.authorityId', undefined);
    expect(inspectSecret(data, [])).to.have.nested.property('certificate.authorityId', undefined);
  });

  it('finds a certificate that its own key signed in place of the authority', () => {
    const keyPair = generateEcKeyPair(256);
    const subject = distinguishedName([
      [OID.organization, 'ai-agents'],
      [OID.commonName, 'agent-deployer.ai-agents'],
    ]);
    const certificatePem = forgedCertificate({ issuer: issuerOf(keyPair, subject), keyPair });
    const privateKeyPem = encodePem('PRIVATE KEY', keyPair.pkcs8Der);
    const tampered = {
      ...data,
      'tls.crt': Buffer.from(certificatePem),
      'tls.key': Buffer.from(privateKeyPem),
    };
    const { certificate, keyMatches } = inspectSecret(tampered, trusted);
    expect(keyMatches).to.equal(true);
    expect(certificate).to.have.property('authorityId', undefined);
  });

  it('finds a certificate that only claims to be signed by the authority', () => {
    const keyPair = generateEcKeyPair(256);
    const impostor = { ...issuerOf(keyPair, authority.subjectDer), keyIdentifier: authority.keyIdentifier };
    expect(factsOf(forgedCertificate({ issuer: impostor, keyPair })).authorityId).to.equal(undefined);
  });

  it('finds a certificate of the authority that names another issuer', () => {
    const keyPair = generateEcKeyPair(256);
    const renamed = { ...authority, subjectDer: other.subjectDer };
    expect(factsOf(forgedCertificate({ issuer: renamed, keyPair })).authorityId).to.equal(undefined);
  });

  const usages = der(TAG.sequence, der(TAG.objectIdentifier, Buffer.from('2b06010505070303', 'hex')));
  const both = extension(
    OID.extendedKeyUsage,
    Buffer.from('301406082b0601050507030206082b06010505070301', 'hex'),
  );
  const uri = [6, Buffer.from(profile.spiffeId)] as const;
  const dns = profile.dnsNames.map((name) => [2, Buffer.from(name)] as const);
  const forgeries: Record<
    string,
    { readonly forgery: Partial<Forgery>; readonly expect: readonly Deviation[] }
  > = {
    'no change': { forgery: { more: [both] }, expect: [] },
    'another URI': {
      forgery: {
        names: [[6, Buffer.from('spiffe://example.org/ns/kube-system/sa/admin')], ...dns],
        more: [both],
      },
      expect: ['SPIFFE ID'],
    },
    'a second URI': {
      forgery: { names: [uri, ...dns, [6, Buffer.from('https://example.org')]], more: [both] },
      expect: ['SPIFFE ID'],
    },
    'a second DNS name': {
      forgery: { names: [uri, ...dns, [2, Buffer.from('kubernetes.default.svc')]], more: [both] },
      expect: ['DNS names'],
    },
    'a name with a comma that would look like two': {
      forgery: { names: [uri, [2, Buffer.from(profile.dnsNames.join(', DNS:'))]], more: [both] },
      expect: ['DNS names'],
    },
    'an IP address': {
      forgery: { names: [uri, ...dns, [7, Buffer.of(10, 0, 0, 1)]], more: [both] },
      expect: ['other names'],
    },
    'an organization that is a group': {
      forgery: { subject: [[OID.organization, 'system:masters']], more: [both] },
      expect: ['subject'],
    },
    'a second organization': {
      forgery: {
        subject: [
          [OID.organization, 'system:masters'],
          [OID.organization, 'ai-agents'],
          [OID.commonName, 'agent-deployer.ai-agents'],
        ],
        more: [both],
      },
      expect: ['subject'],
    },
    'CA:true': { forgery: { isAuthority: true, more: [both] }, expect: ['usages'] },
    keyCertSign: { forgery: { keyUsage: Buffer.of(2, 0x84), more: [both] }, expect: ['usages'] },
    'no extended key usage': { forgery: {}, expect: ['usages'] },
    'another extended key usage': {
      forgery: { more: [extension(OID.extendedKeyUsage, usages)] },
      expect: ['usages'],
    },
  };
  for (const [name, { forgery, expect: wanted }] of Object.entries(forgeries)) {
    it(`lets the planner see ${name}, though the authority signed it`, () => {
      const facts = factsOf(
        forgedCertificate({ issuer: authority, keyPair: generateEcKeyPair(256), ...forgery }),
      );
      expect(facts.authorityId).to.equal(authority.id);
      expect(deviationsOf(facts)).to.deep.equal(wanted);
    });
  }

  it('lets the planner see a longer life, though the authority signed it', async () => {
    const longer = { ...validity, notAfterMs: validity.notAfterMs + 3_600_000 };
    const pair = await generateKeyPair(profile.key);
    const { certificatePem } = new LeafSigner(authority).issueLeaf(profile, longer, pair);
    expect(deviationsOf(factsOf(certificatePem))).to.deep.equal(['life']);
  });

  const unreadable: Record<string, Partial<Forgery>> = {
    'an extension twice': { more: [both, both] },
    'a critical extension that is not known': {
      more: [both, extension('1.2.3.4', der(TAG.sequence), 'critical')],
    },
  };
  for (const [name, forgery] of Object.entries(unreadable)) {
    it(`does not read a certificate with ${name}`, () => {
      const certificatePem = forgedCertificate({
        issuer: authority,
        keyPair: generateEcKeyPair(256),
        ...forgery,
      });
      const { certificate } = inspectSecret({ 'tls.crt': Buffer.from(certificatePem) }, trusted);
      expect(certificate).to.deep.equal({ kind: 'problem', problem: 'was not a certificate' });
    });
  }

  it('never throws, whatever bytes stand where', () => {
    const keys = ['tls.crt', 'tls.key', 'ca.crt', 'tls-combined.pem'];
    const bytes = fc.uint8Array({ maxLength: 400 }).map((octets) => Buffer.from(octets));
    const wrapped = bytes.map((octets) => Buffer.from(encodePem('CERTIFICATE', octets)));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.oneof(bytes, wrapped)), (garbage) => {
        expect(inspectSecret({ ...data, ...garbage }, trusted)).to.have.all.keys(Object.keys(good));
      }),
    );
  });

  it('never throws and never trusts when any one octet of the certificate is another', () => {
    const certificate = Buffer.from(leaf.certificatePem.split('\n').slice(1, -2).join(''), 'base64');
    fc.assert(
      fc.property(fc.nat(certificate.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(certificate);
        changed[at] = (changed[at] ?? 0) ^ change;
        const found = inspectSecret(
          { ...data, 'tls.crt': Buffer.from(encodePem('CERTIFICATE', changed)) },
          trusted,
        );
        expect(found.certificate.kind === 'certificate' && found.certificate.authorityId).to.be.oneOf([
          false,
          undefined,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('reports nothing of a private key, even one that stands in the wrong place', () => {
    const { privateKeyPem } = createAuthority({ trustDomain: 'example.org', nowMs: 0 });
    const key = Buffer.from(privateKeyPem);
    const found = JSON.stringify(
      inspectSecret({ 'tls.crt': key, 'tls.key': key, 'tls-combined.pem': key }, trusted),
    );
    expect(privateKeyPem.split('\n').filter((line) => line !== '' && found.includes(line))).to.deep.equal([]);
  });
});

/** An issuer that is the key pair itself. */
function issuerOf({ pkcs8Der, spkiDer }: KeyPair, subjectDer: Buffer): Forgery['issuer'] {
  const privateKey = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' });
  return { privateKey, keySize: 256, subjectDer, keyIdentifier: keyIdentifier(spkiDer) };
}
