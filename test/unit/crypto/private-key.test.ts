import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readCertificateFields } from '../../../src/crypto/certificate-fields.ts';
import { generateEcKeyPair, generateKeyPair, type KeyPair } from '../../../src/crypto/key-pair.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import {
  inspectPrivateKey,
  isKeyOf,
  type KeyHolder,
  readPrivateKey,
} from '../../../src/crypto/private-key.ts';
import type { KeyProfile } from '../../../src/domain/certificate/profile.ts';
import { forgedCertificate, storedAuthority } from './fixture.ts';

const issuer = storedAuthority();
const P256: KeyProfile = { algorithm: 'ECDSA', size: 256 };
const RSA: KeyProfile = { algorithm: 'RSA', size: 2048 };

function holderOf(keyPair: KeyPair): KeyHolder {
  const certificate = new X509Certificate(forgedCertificate({ issuer, keyPair }));
  const fields = readCertificateFields(certificate.raw);
  if (fields === undefined) throw new Error('the certificate was not read');
  return { certificate, fields };
}

function pemOf({ pkcs8Der }: KeyPair): Buffer {
  return Buffer.from(encodePem('PRIVATE KEY', pkcs8Der));
}

/** The same key as {@link pemOf}, as others write it: without the public key. */
function shortPemOf({ pkcs8Der }: KeyPair): Buffer {
  const jwk = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  const scalar = Buffer.from(jwk.d ?? '', 'base64url').toString('hex');
  const head = '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420';
  return Buffer.from(encodePem('PRIVATE KEY', Buffer.from(head + scalar, 'hex')));
}

describe('inspectPrivateKey', () => {
  for (const kind of [P256, { algorithm: 'ECDSA', size: 384 }, RSA] as const) {
    it(`accepts the ${kind.algorithm} ${kind.size} key of a certificate`, async () => {
      const pair = await generateKeyPair(kind);
      expect(inspectPrivateKey(pemOf(pair), holderOf(pair))).to.deep.equal({
        kind: 'readable',
        matches: true,
      });
    });

    it(`rejects another ${kind.algorithm} ${kind.size} key`, async () => {
      const [pair, other] = [await generateKeyPair(kind), await generateKeyPair(kind)];
      expect(inspectPrivateKey(pemOf(other), holderOf(pair))).to.deep.equal({
        kind: 'readable',
        matches: false,
      });
    });
  }

  it('rejects a key without its public key: nobody here writes it so', () => {
    const pair = generateEcKeyPair(256);
    expect(inspectPrivateKey(shortPemOf(pair), holderOf(pair))).to.deep.equal({
      kind: 'problem',
      problem: 'was not encoded as private keys are',
    });
  });

  const strangers: Readonly<Record<string, () => KeyObject>> = {
    DSA: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey,
    'RSA-PSS': () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey,
    'a curve of Brainpool': () => generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).privateKey,
    'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
    Ed25519: () => generateKeyPairSync('ed25519').privateKey,
  };
  for (const [name, generate] of Object.entries(strangers)) {
    it(`rejects a key of ${name}: nobody here writes one`, () => {
      const pem = Buffer.from(generate().export({ type: 'pkcs8', format: 'pem' }));
      expect(inspectPrivateKey(pem, undefined)).to.deep.equal({
        kind: 'problem',
        problem: 'was not encoded as private keys are',
      });
    });
  }

  it('rejects a key on P-256 whose public key is the point at infinity, and reads the next one', async () => {
    const head = '3047020100301306072a8648ce3d020106082a8648ce3d030107042d302b0201010420';
    const pkcs8Der = Buffer.from(`${head}${'11'.repeat(32)}a10403020000`, 'hex');
    const pair = { ...generateEcKeyPair(256), pkcs8Der };
    const next = pemOf(await generateKeyPair(RSA));
    expect(readPrivateKey(pemOf(pair))).to.not.equal(undefined);
    expect(inspectPrivateKey(pemOf(pair), undefined)).to.deep.equal({
      kind: 'problem',
      problem: 'was not encoded as private keys are',
    });
    expect(readPrivateKey(next)).to.not.equal(undefined);
  });

  it('rejects bytes that OpenSSL reads over: the versions of PKCS #8 and of the key in it', () => {
    const pair = generateEcKeyPair(256);
    for (const at of [5, 33]) {
      const pkcs8Der = Buffer.from(pair.pkcs8Der);
      pkcs8Der[at] = (pkcs8Der[at] ?? 0) ^ 1;
      expect(readPrivateKey(pemOf({ ...pair, pkcs8Der }))).to.not.equal(undefined);
      expect(inspectPrivateKey(pemOf({ ...pair, pkcs8Der }), holderOf(pair))).to.deep.equal({
        kind: 'problem',
        problem: 'was not encoded as private keys are',
      });
    }
  });

  it('rejects a point in another form, which OpenSSL reads', () => {
    const pair = generateEcKeyPair(256);
    const pkcs8Der = Buffer.from(pair.pkcs8Der);
    pkcs8Der[73] = 6 + ((pkcs8Der.at(-1) ?? 0) & 1);
    expect(readPrivateKey(pemOf({ ...pair, pkcs8Der }))).to.not.equal(undefined);
    expect(inspectPrivateKey(pemOf({ ...pair, pkcs8Der }), holderOf(pair))).to.deep.equal({
      kind: 'problem',
      problem: 'was not encoded as private keys are',
    });
  });

  it('rejects an RSA key of which one number is another, although it signs', async () => {
    const pair = await generateKeyPair(RSA);
    const { certificate, fields } = holderOf(pair);
    const jwk = createPrivateKey({ key: pair.pkcs8Der, format: 'der', type: 'pkcs8' }).export({
      format: 'jwk',
    });
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      const octets = Buffer.from(jwk[name] ?? '', 'base64url');
      const pkcs8Der = Buffer.from(pair.pkcs8Der);
      const at = pkcs8Der.lastIndexOf(octets) + octets.length - 2;
      pkcs8Der[at] = (pkcs8Der[at] ?? 0) ^ 1;
      const found = inspectPrivateKey(pemOf({ ...pair, pkcs8Der }), { certificate, fields });
      expect(found, name).to.deep.equal({ kind: 'readable', matches: false });
    }
  });

  it('rejects a key of another kind', async () => {
    const holder = holderOf(generateEcKeyPair(256));
    const rsa = pemOf(await generateKeyPair(RSA));
    expect(inspectPrivateKey(rsa, holder)).to.deep.equal({ kind: 'readable', matches: false });
  });

  it('rejects a private number that was changed beside the right public key', () => {
    const pair = generateEcKeyPair(256);
    const pkcs8Der = Buffer.from(pair.pkcs8Der);
    pkcs8Der[50] = (pkcs8Der[50] ?? 0) ^ 1;
    const holder = holderOf(pair);
    const tampered = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' });
    // This is why a comparison of public keys is not enough.
    expect(holder.certificate.checkPrivateKey(tampered)).to.equal(true);
    expect(isKeyOf(tampered, holder.certificate)).to.equal(false);
    expect(inspectPrivateKey(pemOf({ ...pair, pkcs8Der }), holder)).to.deep.equal({
      kind: 'readable',
      matches: false,
    });
  });

  it('matches nothing when there is no certificate', () => {
    const pem = pemOf(generateEcKeyPair(256));
    expect(inspectPrivateKey(pem, undefined)).to.deep.equal({ kind: 'readable', matches: false });
  });

  const problems: Record<string, { readonly pem: string; readonly problem: string }> = {
    'an empty text': { pem: '', problem: 'was empty' },
    'a huge text': { pem: 'x'.repeat(1_000_000), problem: 'was larger than 13000 bytes' },
    'no PEM': { pem: 'key', problem: 'was not PEM of type PRIVATE KEY' },
    'no key inside': {
      pem: encodePem('PRIVATE KEY', Buffer.alloc(138, 1)),
      problem: 'was not a private key',
    },
    'a certificate': { pem: issuer.certificatePem, problem: 'was not PEM of type PRIVATE KEY' },
  };
  for (const [name, { pem, problem }] of Object.entries(problems)) {
    it(`reports ${name}`, () => {
      const holder = holderOf(generateEcKeyPair(256));
      expect(inspectPrivateKey(Buffer.from(pem), holder)).to.deep.equal({ kind: 'problem', problem });
    });
  }
});

describe('readPrivateKey', () => {
  it('reads a key to sign with', () => {
    const pair = generateEcKeyPair(256);
    const key = readPrivateKey(pemOf(pair));
    expect(key?.export({ format: 'der', type: 'pkcs8' })).to.deep.equal(pair.pkcs8Der);
  });

  for (const text of ['', 'junk', encodePem('PRIVATE KEY', Buffer.of(1))]) {
    it(`rejects ${JSON.stringify(text)}`, () =>
      expect(readPrivateKey(Buffer.from(text))).to.equal(undefined));
  }
});
