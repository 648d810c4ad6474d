import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto';
import { expect } from 'chai';
import { derSignature, rawSignature } from '../../../../src/crypto/jose/ecdsa-signature.ts';
import {
  importPublicJwk,
  jwkThumbprint,
  privateJwkOf,
  publicJwkOf,
} from '../../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk, importPrivateJwk } from '../../../../src/crypto/jose/private-jwk.ts';
import { createSigner, encodeHeader, signJws } from '../../../../src/crypto/jose/signer.ts';
import { TOKEN_CRYPTO } from '../../../../src/crypto/jose/token-crypto.ts';
import { createVerifyingKey, readIssuers } from '../../../../src/crypto/jose/verifying-key.ts';
import { encodeBase64url } from '../../../../src/domain/token/base64url.ts';
import { A, B, jwksOf, signerOf, T0 } from '../../../support/token/scene.ts';

const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED25519 = generateKeyPairSync('ed25519');
const DATA = Buffer.from('header.payload');

function signerFor(key: KeyObject): NonNullable<ReturnType<typeof createSigner>> {
  const signer = createSigner(key);
  if (signer === undefined) throw new Error('no signer');
  return signer;
}

describe('derSignature', () => {
  it('writes what OpenSSL accepts, and reads what OpenSSL writes', () => {
    // Two of 256 numbers are shorter than 32 octets, half of them have a zero in front in DER.
    for (let run = 0; run < 600; run++) {
      const der = sign('sha256', DATA, P256.privateKey);
      const raw = rawSignature(der);
      expect(raw.length).to.equal(64);
      expect(derSignature(raw)).to.deep.equal(der);
    }
    const raw = sign('sha256', DATA, { key: P256.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(verify('sha256', DATA, P256.publicKey, derSignature(raw) ?? raw)).to.equal(true);
  });

  it('keeps the shortest numbers there can be', () => {
    const raw = Buffer.alloc(64);
    raw[31] = 1;
    raw[63] = 0x80;
    expect(derSignature(raw)?.toString('hex')).to.equal('30070201010202' + '0080');
    expect(rawSignature(derSignature(raw) ?? raw)).to.deep.equal(raw);
  });

  for (const length of [0, 63, 65, 70, 72])
    it(`refuses ${length} octets`, () => expect(derSignature(Buffer.alloc(length))).to.equal(undefined));
});

describe('jwkThumbprint', () => {
  it('is that of RFC 8037, appendix A.3', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    expect(jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })).to.equal(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it("is the kid of the worked example's deployer", () => {
    const x = 'sPzebxf_cd6VyWYfBVoFNg0jA5FUrmoNOIVhelIvb-M';
    const y = '927QYRyf_gRLg4HqcLE-wLVZ0CL-lPNTYOVNBmm1uYE';
    expect(jwkThumbprint({ kty: 'EC', crv: 'P-256', x, y })).to.equal(
      'MNMSfkdsnCDYk1m36RMBmYCxdo-7Q4MJnL25MSXbG-w',
    );
  });
});

describe('publicJwkOf', () => {
  it('gives the public half of a private key, and what it gives is imported as the same key', () => {
    for (const { privateKey, publicKey } of [P256, ED25519]) {
      const jwk = publicJwkOf(privateKey);
      if (jwk === undefined) throw new Error('no key');
      expect(jwk).to.not.have.property('d');
      expect(importPublicJwk(jwk)?.equals(publicKey)).to.equal(true);
    }
  });

  it('refuses other keys', () => {
    expect(publicJwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)).to.equal(undefined);
    expect(publicJwkOf(generateKeyPairSync('x25519').publicKey)).to.equal(undefined);
    expect(publicJwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).to.equal(undefined);
  });
});

describe('importPrivateJwk', () => {
  it('reads what is stored', () => {
    for (const { privateKey } of [P256, ED25519]) {
      const jwk = privateJwkOf(privateKey);
      expect(jwk && importPrivateJwk(jwk)?.equals(privateKey)).to.equal(true);
    }
  });

  it('refuses a private key with the public half of another one', () => {
    const [own, other] = [privateJwkOf(P256.privateKey), signerOf(A).publicJwk];
    expect(own && importPrivateJwk({ ...other, d: own.d })).to.equal(undefined);
    const [key, stranger] = [privateJwkOf(ED25519.privateKey), generatePrivateJwk('Ed25519')];
    expect(key && importPrivateJwk({ ...key, d: stranger.d })).to.equal(undefined);
  });
});

describe('signJws', () => {
  for (const [name, { privateKey, publicKey }, digest] of [
    ['ES256', P256, 'sha256'],
    ['Ed25519', ED25519, null],
  ] as const)
    it(`signs with ${name} what others verify`, () => {
      const signer = signerFor(privateKey);
      const compact = signJws(encodeHeader({ alg: signer.algorithm }), '{"a":"é"}', signer);
      const [head = '', body = '', signature = ''] = compact.split('.');
      expect(signer.algorithm).to.equal(name);
      expect(Buffer.from(body, 'base64url').toString()).to.equal('{"a":"é"}');
      const key = {
        key: createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })),
        dsaEncoding: 'ieee-p1363',
      } as const;
      expect(
        verify(digest, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')),
      ).to.equal(true);
    });
});

describe('TOKEN_CRYPTO.decodeJws', () => {
  const parts = (...texts: readonly string[]): string => texts.map(encodeBase64url).join('.');

  it('takes a JWS apart', () => {
    const compact = parts('{}', 'é', 'x');
    expect(TOKEN_CRYPTO.decodeJws(compact)).to.deep.equal({
      header: '{}',
      payload: 'é',
      signingInput: compact.slice(0, compact.lastIndexOf('.')),
      signature: Buffer.from('x'),
    });
  });

  for (const compact of [
    '',
    'e30.e30',
    parts('{}', '{}', 'x', 'y'),
    'e30=.e30.eA',
    'e30.e31.',
    'e30._w.eA',
    'e30.e30.eA=',
  ])
    it(`refuses ${compact}`, () => expect(TOKEN_CRYPTO.decodeJws(compact)).to.equal(undefined));
});

describe('TOKEN_CRYPTO.isSame', () => {
  it('tells texts apart, also those whose last octets are the same', () => {
    expect(TOKEN_CRYPTO.isSame('abc', 'abc')).to.equal(true);
    for (const other of ['abd', 'ab', 'abcd', '\u0161bc'])
      expect(TOKEN_CRYPTO.isSame('abc', other)).to.equal(false);
    expect(TOKEN_CRYPTO.isSame('a', '\u0161')).to.equal(false);
  });
});

describe('readIssuers', () => {
  const file = (change: (keys: Record<string, unknown>[]) => void): string => {
    const jwks = structuredClone(jwksOf({ [A]: signerOf(A), [B]: signerOf(B) })) as {
      issuers: Record<string, { keys: Record<string, unknown>[] }>;
    };
    change(jwks.issuers[A]?.keys ?? []);
    return JSON.stringify(jwks);
  };

  it('reads the keys of each issuer by their kid', () => {
    const issuers = readIssuers(file(([key]) => Object.assign(key ?? {}, { until: T0 })));
    const key = issuers?.get(A)?.get(signerOf(A).kid);
    const { kid, algorithm, since, until } = key ?? {};
    expect({ kid, algorithm, since, until }).to.deep.equal({
      kid: signerOf(A).kid,
      algorithm: 'ES256',
      since: T0 - 3600,
      until: T0,
    });
    expect(key?.verifies('a.b', Buffer.from(signerOf(A).sign('a.b'), 'base64url'))).to.equal(true);
    expect(key?.verifies('a.c', Buffer.from(signerOf(A).sign('a.b'), 'base64url'))).to.equal(false);
    expect(issuers?.get(A)?.has(signerOf(B).kid)).to.equal(false);
  });

  for (const [what, change] of [
    ['a kid that is no thumbprint', { kid: signerOf(B).kid }],
    ['a point beside the curve', { x: signerOf(B).kid }],
    ['a private key', { d: signerOf(B).kid }],
    ['another algorithm', { alg: 'Ed25519' }],
    ['another use', { use: 'enc' }],
    ['no since', { since: undefined }],
    ['another curve', { crv: 'P-384' }],
    ['a symmetric key', { kty: 'oct', k: 'x' }],
  ] as const)
    it(`refuses ${what}`, () => {
      expect(readIssuers(file(([key]) => Object.assign(key ?? {}, change)))).to.equal(undefined);
    });

  describe('with the keys of an earlier reading', () => {
    const kid = signerOf(A).kid;
    const known = readIssuers(file(() => undefined));
    const before = known?.get(A)?.get(kid);

    it('gives a key again that is the same', () => {
      expect(
        readIssuers(
          file(() => undefined),
          known,
        )
          ?.get(A)
          ?.get(kid),
      ).to.equal(before);
    });

    it('imports no key again whose time is another', () => {
      const key = readIssuers(
        file(([first]) => Object.assign(first ?? {}, { until: T0 })),
        known,
      )
        ?.get(A)
        ?.get(kid);
      expect([key?.until, before?.until]).to.deep.equal([T0, Number.POSITIVE_INFINITY]);
      expect(key?.verifies).to.equal(before?.verifies);
    });

    it('refuses other numbers under the kid of a known key', () => {
      const { publicJwk } = signerOf(B);
      for (const other of [publicJwk, { x: publicJwk.x }, publicJwk.kty === 'EC' ? { y: publicJwk.y } : {}])
        expect(
          readIssuers(
            file(([first]) => Object.assign(first ?? {}, other)),
            known,
          ),
        ).to.equal(undefined);
    });

    it('holds nothing of what the file no longer names', () => {
      const next = readIssuers(
        file((keys) => keys.splice(0)),
        known,
      );
      expect(next?.get(A)).to.deep.equal(new Map());
      expect([...(next?.keys() ?? [])]).to.deep.equal([A, B]);
    });

    it('takes no key of another issuer', () => {
      const others = new Map([[B, known?.get(A) ?? new Map()]]);
      expect(
        readIssuers(
          file(() => undefined),
          others,
        )
          ?.get(A)
          ?.get(kid)?.verifies,
      ).to.not.equal(before?.verifies);
    });
  });

  it('refuses a key that stands twice, and another version', () => {
    expect(readIssuers(file((keys) => keys.push({ ...keys[0] })))).to.equal(undefined);
    expect(readIssuers(file(() => undefined).replace('"version":1', '"version":2'))).to.equal(undefined);
  });
});

describe('createVerifyingKey', () => {
  it('verifies Ed25519', () => {
    const signer = signerFor(ED25519.privateKey);
    const { publicJwk, kid } = signer;
    const key = publicJwk.kty === 'OKP' ? createVerifyingKey({ ...publicJwk, kid, since: 0 }) : undefined;
    expect(key?.algorithm).to.equal('Ed25519');
    const signature = Buffer.from(signer.sign('a.b'), 'base64url');
    expect(key?.verifies('a.b', signature)).to.equal(true);
    expect(key?.verifies('a.b', signature.subarray(1))).to.equal(false);
    expect(kid).to.equal(
      hash('sha256', JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x: publicJwk.x }), 'base64url'),
    );
  });
});
