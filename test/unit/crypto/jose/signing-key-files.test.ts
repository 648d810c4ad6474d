import { createPrivateKey } from 'node:crypto';
import { expect } from 'chai';
import { jwkThumbprint } from '../../../../src/crypto/jose/jwk.ts';
import {
  generatePrivateJwk,
  isWholeKey,
  privateKeyPem,
  readPrivateKeyPem,
} from '../../../../src/crypto/jose/private-jwk.ts';
import { createSigner } from '../../../../src/crypto/jose/signer.ts';
import {
  inspectSigningKeys,
  readSigningKeyFiles,
  type SigningData,
  type StoredKey,
  signingKeyFiles,
} from '../../../../src/crypto/jose/signing-key-files.ts';
import { readIssuers } from '../../../../src/crypto/jose/verifying-key.ts';
import { encodePem } from '../../../../src/crypto/pem.ts';
import type { KeyLife } from '../../../../src/domain/signing/keys.ts';
import { publishedForm } from '../../../../src/domain/signing/keys.ts';
import type { TokenAlgorithm } from '../../../../src/domain/token/claims.ts';

const UID = '7d4f5c0e-3f0b-4d38-9f0e-0a4f1a2b3c4d';

function stored(life: KeyLife, algorithm: TokenAlgorithm = 'ES256'): StoredKey {
  const privateJwk = generatePrivateJwk(algorithm);
  const { d: _, ...jwk } = privateJwk;
  const half = life.state === 'Retiring' ? undefined : privateJwk;
  return { ...life, kid: jwkThumbprint(jwk), jwk, privateJwk: half };
}

const retiring = stored({ state: 'Retiring', createdMs: 100_000, since: 100, until: 1_000 });
const active = stored({ state: 'Active', createdMs: 7_200_000, since: 8_940 });
const next = stored({ state: 'Next', createdMs: 9_000_000, since: 10_740 }, 'Ed25519');
const KEYS = [retiring, active, next];
const files = signingKeyFiles(UID, KEYS);
const data: SigningData = Object.fromEntries(
  Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]),
);

function publicly({ privateJwk, ...key }: StoredKey): object {
  return { ...key, isUsable: privateJwk !== undefined };
}

describe('signingKeyFiles', () => {
  it('writes the four files, the last of them without a private half', () => {
    expect(Object.keys(files)).to.deep.equal([
      'signing.key',
      'signing.kid',
      'signing-keys.json',
      'published-keys.json',
    ]);
    expect(files['signing.kid']).to.equal(active.kid);
    const { keys } = JSON.parse(files['signing-keys.json']) as { keys: readonly object[] };
    expect(keys).to.deep.equal([
      { kid: active.kid, state: 'Active', since: 8_940, jwk: active.privateJwk },
      { kid: next.kid, state: 'Next', since: 10_740, jwk: next.privateJwk },
    ]);
    expect(files['published-keys.json']).to.not.include('"d"');
    expect(Object.values(files).join()).to.not.include('undefined');
  });

  it('writes the Active key so that it signs, for both algorithms', () => {
    for (const algorithm of ['ES256', 'Ed25519'] as const) {
      const key = stored({ state: 'Active', createdMs: 0, since: 0 }, algorithm);
      const { 'signing.key': pem, 'signing.kid': kid } = signingKeyFiles(UID, [key]);
      const signer = createSigner(createPrivateKey(pem));
      expect(signer?.kid).to.equal(kid);
      expect(createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' })).to.equal(pem);
      const jwks = JSON.stringify({ version: 1, issuers: { [ISSUER]: { keys: [publishedForm(key)] } } });
      const verifying = readIssuers(jwks)?.get(ISSUER)?.get(kid);
      const signature = Buffer.from(signer?.sign('text') ?? '', 'base64url');
      expect(verifying?.verifies('text', signature)).to.equal(true);
    }
  });

  it('rejects keys without a private half to sign with', () => {
    expect(() => signingKeyFiles(UID, [{ ...active, privateJwk: undefined }])).to.throw(TypeError);
    expect(() => signingKeyFiles(UID, [retiring, next])).to.throw(TypeError);
  });
});

const ISSUER = 'spiffe://cluster.local/ns/ai-agents/sa/agent-deployer';

describe('readSigningKeyFiles', () => {
  it('reads what was written', () => {
    expect(readSigningKeyFiles(data)).to.deep.equal({ identityUid: UID, keys: KEYS });
  });

  it('takes the Active key from either of its two places', () => {
    const without = { ...data, 'signing-keys.json': undefined };
    expect(readSigningKeyFiles(without).keys).to.deep.equal([
      retiring,
      active,
      { ...next, privateJwk: undefined },
    ]);
    expect(readSigningKeyFiles({ ...data, 'signing.key': undefined }).keys).to.deep.equal(KEYS);
  });

  it('takes Active and Next from the private file when the public one cannot be believed, as old as they can be', () => {
    const text = files['published-keys.json'].replace('"createdMs":7200000', '"createdMs":7200001');
    const read = readSigningKeyFiles({ ...data, 'published-keys.json': Buffer.from(text) });
    expect(read).to.deep.equal({
      identityUid: undefined,
      keys: [active, next].map((key) => ({ ...key, createdMs: (key.since - 29 * 60) * 1000 })),
    });
  });

  it('reads nothing in nothing, in what is no file, and in what is too long', () => {
    const nothing = { identityUid: undefined, keys: [] };
    const long = Buffer.alloc(1_000_000, ' ');
    expect([
      readSigningKeyFiles({}),
      readSigningKeyFiles({ 'published-keys.json': Buffer.from('[]'), 'signing-keys.json': Buffer.of(0xff) }),
      readSigningKeyFiles({ 'published-keys.json': long, 'signing-keys.json': long, 'signing.key': long }),
    ]).to.deep.equal([nothing, nothing, nothing]);
  });
});

describe('inspectSigningKeys', () => {
  it('finds nothing wrong with what was written, and keeps no private half', () => {
    const content = inspectSigningKeys(data);
    expect(content).to.deep.equal({ identityUid: UID, keys: KEYS.map(publicly), altered: [] });
    for (const { privateJwk } of KEYS) {
      if (privateJwk !== undefined) expect(JSON.stringify(content)).to.not.include(privateJwk.d);
    }
  });

  for (const [name, text] of Object.entries(files)) {
    it(`notices every flipped byte of ${name}, and says nothing wrong of the keys`, () => {
      const octets = Buffer.from(text);
      for (let at = 0; at < octets.length; at++) {
        const flipped = Buffer.from(octets);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        const { keys, altered } = inspectSigningKeys({ ...data, [name]: flipped });
        const isBroken = keys.some(({ state, isUsable }) => state !== 'Retiring' && !isUsable);
        expect(isBroken || altered.includes(name as never), `octet ${at}`).to.equal(true);
        // Whatever is lost, what signs is as it was.
        const found = keys.find(({ state }) => state === 'Active');
        expect(found && { ...found, createdMs: active.createdMs }, `octet ${at}`).to.deep.equal(
          publicly(active),
        );
      }
    });

    it(`notices that ${name} is missing`, () => {
      const { keys, altered } = inspectSigningKeys({ ...data, [name]: undefined });
      const isBroken = keys.some(({ state, isUsable }) => state !== 'Retiring' && !isUsable);
      expect(isBroken || altered.includes(name as never)).to.equal(true);
    });
  }

  it('does not take a private half that belongs to another key', () => {
    const other = generatePrivateJwk('ES256');
    const text = files['signing-keys.json'].replace(active.privateJwk?.d ?? '', other.d);
    const { keys } = inspectSigningKeys({
      ...data,
      'signing-keys.json': Buffer.from(text),
      'signing.key': Buffer.from(privateKeyPem(other)),
    });
    expect(keys.map(({ state, isUsable }) => `${state} ${isUsable}`)).to.deep.equal([
      'Retiring false',
      'Active false',
      'Next true',
    ]);
  });
});

describe('isWholeKey', () => {
  for (const algorithm of ['ES256', 'Ed25519'] as const) {
    it(`accepts a key for ${algorithm}, rejects halves of two`, () => {
      const [one, other] = [generatePrivateJwk(algorithm), generatePrivateJwk(algorithm)];
      expect([isWholeKey(one), isWholeKey({ ...one, d: other.d })]).to.deep.equal([true, false]);
    });
  }

  it('rejects a number that is none on the curve', () => {
    const key = generatePrivateJwk('ES256');
    expect(isWholeKey({ ...key, d: Buffer.alloc(32).toString('base64url') })).to.equal(false);
    expect(isWholeKey({ ...key, d: Buffer.alloc(32, 0xff).toString('base64url') })).to.equal(false);
  });
});

describe('readPrivateKeyPem', () => {
  it('reads what privateKeyPem writes, for both algorithms', () => {
    for (const algorithm of ['ES256', 'Ed25519'] as const) {
      const jwk = generatePrivateJwk(algorithm);
      expect(readPrivateKeyPem(Buffer.from(privateKeyPem(jwk)))).to.deep.equal(jwk);
    }
  });

  it('rejects a key on P-256 whose public key is the point at infinity, and reads the next one', () => {
    const head = '3047020100301306072a8648ce3d020106082a8648ce3d030107042d302b0201010420';
    const key = Buffer.from(`${head}${'11'.repeat(32)}a10403020000`, 'hex');
    const next = Buffer.from(privateKeyPem(generatePrivateJwk('ES256')));
    expect(createPrivateKey({ key, format: 'der', type: 'pkcs8' }).type).to.equal('private');
    expect(readPrivateKeyPem(Buffer.from(encodePem('PRIVATE KEY', key)))).to.equal(undefined);
    expect(readPrivateKeyPem(next)).to.not.equal(undefined);
  });

  it('rejects other keys and what is no PEM', () => {
    const rsa = '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n';
    expect([readPrivateKeyPem(Buffer.from(rsa)), readPrivateKeyPem(Buffer.alloc(0))]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});
