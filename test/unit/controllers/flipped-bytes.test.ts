/** Not one bit of what the operator keeps can be another without being found: nothing is left to luck. */

import { hash } from 'node:crypto';
import { expect } from 'chai';
import {
  authorityRecord,
  authoritySecret,
  authoritySha256,
} from '../../../src/controllers/authority/authority-record.ts';
import { bundleRecord, digestsOf } from '../../../src/controllers/bundle/bundle-record.ts';
import { judgeBundle } from '../../../src/controllers/bundle/judge.ts';
import { KnownContents } from '../../../src/controllers/identity/known-contents.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { type SecretRecord, secretRecord } from '../../../src/controllers/identity/secret-record.ts';
import { keysOf, signingFacts } from '../../../src/controllers/signing/signing-record.ts';
import type { Authority } from '../../../src/crypto/authority-reader.ts';
import { readGeneration } from '../../../src/crypto/generation.ts';
import { signBundle } from '../../../src/crypto/jose/bundle-signature.ts';
import { jwkThumbprint } from '../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../../../src/crypto/jose/private-jwk.ts';
import { type StoredKey, signingKeyFiles } from '../../../src/crypto/jose/signing-key-files.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { readPrivateKey } from '../../../src/crypto/private-key.ts';
import { bundleLeafProfile } from '../../../src/domain/bundle/leaf.ts';
import type { CertificateWish } from '../../../src/domain/certificate/plan.ts';
import { planCertificate } from '../../../src/domain/certificate/plan.ts';
import type { LeafProfile } from '../../../src/domain/certificate/profile.ts';
import type { KeyLife } from '../../../src/domain/signing/keys.ts';
import { planSigningKeys } from '../../../src/domain/signing/plan.ts';
import { planSigningSecret, type SigningSecretWish } from '../../../src/domain/signing/secret-plan.ts';
import { givenCa } from '../../support/authority/given-ca.ts';
import { flipped, otherCharacter } from '../../support/flipped-byte.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { issuedLeaf, profile, secretData, storedAuthority, T0, validity } from '../crypto/fixture.ts';
import { wish as anyWish } from '../domain/certificate/fixture.ts';

const NOW = T0 + 60_000;
const DAY_MS = 86_400_000;
const ALL_BITS = [1, 2, 4, 8, 16, 32, 64, 128];
const seed = Number(process.env['FLIP_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

type Data = Readonly<Record<string, Buffer>>;

function secretOf(data: Data, type: string): Secret {
  const { labels, annotations, ownerReference } = anyWish.secret;
  return {
    metadata: { name: 'x', namespace: 'ai-agents', labels, annotations, ownerReferences: [ownerReference] },
    type,
    data: Object.fromEntries(Object.entries(data).map(([key, octets]) => [key, octets.toString('base64')])),
  };
}

/** Every place of these files, with what is there then. `bits`: those that are tried at each place. */
function* flips(
  data: Data,
  bits: () => readonly number[],
  keys: readonly string[] = Object.keys(data),
): Iterable<{ where: string; data: Data }> {
  for (const [key, octets] of Object.entries(data).filter(([name]) => keys.includes(name)))
    for (let at = 0; at < octets.length; at++)
      for (const bit of bits())
        yield { where: `${key}, byte ${at}, bit ${bit}`, data: { ...data, [key]: flipped(octets, at, bit) } };
}

/** Another one at each place: all eight take too long where keys are slow. */
function oneBit(): () => readonly number[] {
  const random = pseudoRandom(seed);
  return () => [1 << Math.floor(random() * 8)];
}

/** A root that was given, with an intermediate below it. */
function intermediate(): Authority {
  const life = { notBeforeMs: T0 - DAY_MS, notAfterMs: T0 + 30 * DAY_MS };
  const root = givenCa({ name: 'Root', life });
  const made = givenCa({ name: 'Intermediate', issuer: root, life });
  const read = readGeneration({
    certificatePem: Buffer.from(made.pem + root.pem),
    privateKeyPem: Buffer.from(made.keyPem),
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return read.authority;
}

const root = storedAuthority();
const leaves: Readonly<Record<string, readonly [Authority, LeafProfile['key'], () => readonly number[]]>> = {
  'a P-256 leaf, every bit of it': [root, { algorithm: 'ECDSA', size: 256 }, () => ALL_BITS],
  'a P-384 leaf of a P-384 root': [
    storedAuthority({ keySize: 384 }),
    { algorithm: 'ECDSA', size: 384 },
    oneBit(),
  ],
  'an RSA leaf': [root, { algorithm: 'RSA', size: 2048 }, oneBit()],
  'a leaf with an intermediate behind it': [intermediate(), { algorithm: 'ECDSA', size: 256 }, oneBit()],
};

describe(`a flipped byte (FLIP_SEED=${seed})`, () => {
  for (const [what, [authority, key, bits]] of Object.entries(leaves))
    it(`is found in a Secret with ${what}`, async () => {
      const bundle = encodePem('CERTIFICATE', authority.root.raw);
      const good = secretData(await issuedLeaf(authority, { key }), bundle);
      const wish = wishFor(authority, { ...profile, key }, bundle);
      const trusted = () => [authority];
      const planned = (data: Data): string => {
        const record = secretRecord(secretOf(data, 'kubernetes.io/tls'), {
          trusted,
          known: new KnownContents(),
        });
        return planCertificate(wish, record.facts, NOW).kind;
      };
      expect(planned(good)).to.equal('keep');
      // The certificate and its key are made anew; what leads to the root may be written again.
      const kinds = authority.intermediates.length > 0 ? ['issue', 'repair'] : ['issue'];
      for (const { where, data } of flips(good, bits, ['tls.crt', 'tls.key']))
        expect(planned(data), where).to.be.oneOf(where.startsWith('tls.key') ? ['issue'] : kinds);
      if (authority !== root) return;
      for (const { where, data } of flips(good, oneBit(), ['ca.crt', 'tls-combined.pem']))
        expect(planned(data), where).to.equal('repair');
    });

  it('is found in a Secret with signing keys', () => {
    const { identityUid, secret } = anyWish;
    const wish: SigningSecretWish = {
      identityUid,
      secret,
      algorithm: 'ES256',
      rotationSeconds: 86_400,
      refuseBeforeMs: [],
    };
    const plan = planSigningKeys([], wish, NOW);
    if (plan.kind !== 'write') throw new Error('no keys are planned');
    const keys = plan.keys.map((each) => signingKey(each));
    const good = Object.fromEntries(
      Object.entries(signingKeyFiles(identityUid, keys)).map(([name, text]) => [name, Buffer.from(text)]),
    );
    const record = (data: Data): SecretRecord =>
      secretRecord(secretOf(data, 'agenttrust.dev/signing-key'), {
        trusted: () => [],
        known: new KnownContents(),
      });
    const known = keysOf(record(good), identityUid);
    const planned = (data: Data): string =>
      planSigningSecret(wish, { secret: signingFacts(record(data)), keys: known }, NOW).kind;
    expect(planned(good)).to.equal('keep');
    for (const { where, data } of flips(good, oneBit())) expect(planned(data), where).to.equal('write');
  });

  it('is found in a bundle, its signature among it', () => {
    const { spkiDer, pkcs8Der } = generateEcKeyPair(256);
    const key = readPrivateKey(Buffer.from(encodePem('PRIVATE KEY', pkcs8Der)));
    if (key === undefined) throw new Error('no key');
    const { certificateDer } = new LeafSigner(root).issue(
      bundleLeafProfile('example.org'),
      validity,
      spkiDer,
    );
    const files = { 'ca.crt': root.certificatePem, 'ca.crl': 'list\n', 'policy.json': '{"version":1}' };
    const iat = T0 / 1000;
    const claims = { sequence: 5, iat, exp: iat + 1800, aud: 'ai-agents', files: digestsOf(files) };
    const good = { ...files, 'bundle.jws': signBundle(claims, { key, chainDer: [certificateDer] }) };
    const judged = (data: Readonly<Record<string, string>>): string | undefined =>
      judgeBundle({
        ...{ namespace: 'ai-agents', formerPem: '' },
        observed: bundleRecord({
          metadata: { name: 'x', labels: { 'agenttrust.dev/managed': 'true' } },
          data,
        }),
        trust: { rootsPem: root.certificatePem, trustDomain: 'example.org' },
      }).wrong;
    expect(judged(good)).to.equal(undefined);
    const random = pseudoRandom(seed);
    for (const [name, text] of Object.entries(good))
      for (let at = 0; at < text.length; at++) {
        const by = 1 + Math.floor(random() * 126);
        const wrong = judged({ ...good, [name]: otherCharacter(text, at, by) });
        expect(wrong, `${name}, character ${at}, by ${by}`).to.not.equal(undefined);
      }
  });

  it('is found in the Secret of the authority', () => {
    const generations = [root, intermediate()];
    const secret = authoritySecret('agent-trust-system', generations);
    const wanted = authoritySha256(generations);
    expect(authorityRecord(secret).dataSha256).to.equal(wanted);
    const good = Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([name, base64]) => [name, Buffer.from(base64, 'base64')]),
    );
    for (const { where, data } of flips(good, oneBit()))
      expect(
        authorityRecord({ ...secret, data: secretOf(data, '').data ?? {} }).dataSha256,
        where,
      ).to.not.equal(wanted);
  });
});

function wishFor(authority: Authority, wanted: LeafProfile, bundle: string): CertificateWish {
  const { id, notBeforeMs, notAfterMs } = authority;
  const facts = { id, notBeforeMs, notAfterMs, retiring: undefined };
  return {
    ...anyWish,
    profile: wanted,
    signingAuthority: facts,
    trustedAuthorities: [facts],
    secret: { ...anyWish.secret, trustBundleSha256: hash('sha256', bundle, 'hex') },
  };
}

function signingKey({ createdMs, state, since }: KeyLife): StoredKey {
  const privateJwk = generatePrivateJwk('ES256');
  const { d: _, ...jwk } = privateJwk;
  return { createdMs, state, since, kid: jwkThumbprint(jwk), jwk, privateJwk };
}
