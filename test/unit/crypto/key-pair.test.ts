import { createPrivateKey, createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import {
  ecPublicPoint,
  generateEcKeyPair,
  generateKeyPair,
  type KeyPair,
} from '../../../src/crypto/key-pair.ts';
import type { KeyProfile } from '../../../src/domain/certificate/profile.ts';

const SCALAR_START = { 256: 36, 384: 35 } as const;

/** As node:crypto writes the same key: its own SubjectPublicKeyInfo and PKCS#8. */
function rewritten({ pkcs8Der }: KeyPair): { readonly spki: Buffer; readonly pkcs8: Buffer } {
  const privateKey = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' });
  return {
    spki: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }),
  };
}

describe('generateEcKeyPair', () => {
  for (const size of [256, 384] as const) {
    it(`writes P-${size} keys exactly as OpenSSL does`, () => {
      for (let count = 0; count < 50; count++) {
        const pair = generateEcKeyPair(size);
        const { spkiDer: spki, pkcs8Der: pkcs8, algorithm } = pair;
        expect({ spki, pkcs8, algorithm }).to.deep.equal({
          ...rewritten(pair),
          algorithm: { algorithm: 'ECDSA', size },
        });
      }
    });
  }

  it('pads every one of 10,000 keys to the same length', () => {
    const lengths = new Set<string>();
    let shortest: KeyPair | undefined;
    for (let count = 0; count < 10_000; count++) {
      const pair = generateEcKeyPair(256);
      lengths.add(`${pair.spkiDer.length} ${pair.pkcs8Der.length}`);
      if (pair.pkcs8Der[SCALAR_START[256]] === 0) shortest = pair;
    }
    expect([...lengths]).to.deep.equal(['91 138']);
    // One of 256 keys begins with a zero octet: that none of 10,000 does has a chance of 1 to 10^17.
    expect(shortest && rewritten(shortest).pkcs8).to.deep.equal(shortest?.pkcs8Der);
    expect(shortest).to.not.equal(undefined);
  });

  it('makes another key each time, and does not change the ones before', () => {
    const first = generateEcKeyPair(256);
    const kept = Buffer.from(first.pkcs8Der);
    const second = generateEcKeyPair(256);
    expect(first.pkcs8Der.equals(kept)).to.equal(true);
    expect(second.pkcs8Der.equals(kept)).to.equal(false);
  });
});

describe('generateKeyPair', () => {
  const kinds: readonly KeyProfile[] = [
    { algorithm: 'ECDSA', size: 256 },
    { algorithm: 'ECDSA', size: 384 },
    { algorithm: 'RSA', size: 2048 },
    { algorithm: 'RSA', size: 3072 },
  ];
  for (const kind of kinds) {
    it(`makes ${kind.algorithm} ${kind.size}`, async () => {
      const pair = await generateKeyPair(kind);
      const { spkiDer: spki, pkcs8Der: pkcs8, algorithm } = pair;
      expect({ spki, pkcs8, algorithm }).to.deep.equal({ ...rewritten(pair), algorithm: kind });
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      const curves = { 256: 'prime256v1', 384: 'secp384r1' };
      expect(key.asymmetricKeyDetails).to.deep.equal(
        kind.algorithm === 'RSA'
          ? { modulusLength: kind.size, publicExponent: 65_537n }
          : { namedCurve: curves[kind.size] },
      );
    });
  }
});

describe('ecPublicPoint', () => {
  for (const size of [256, 384] as const) {
    it(`computes the public key of a P-${size} key`, () => {
      const { spkiDer, pkcs8Der } = generateEcKeyPair(size);
      expect(ecPublicPoint(pkcs8Der)).to.deep.equal(spkiDer.subarray(-(1 + size / 4)));
    });
  }

  const changes: Record<string, (pkcs8Der: Buffer) => Buffer> = {
    'another private number beside the public key': (key) => changed(key, SCALAR_START[256], 1),
    'another public key beside the private number': (key) => changed(key, key.length - 1, 1),
    'another algorithm identifier': (key) => changed(key, 20, 1),
    'a private number of zero': (key) => key.fill(0, SCALAR_START[256], SCALAR_START[256] + 32),
    'a private number above the order of the curve': (key) =>
      key.fill(0xff, SCALAR_START[256], SCALAR_START[256] + 32),
    'an octet too many': (key) => Buffer.concat([key, Buffer.of(0)]),
    nothing: () => Buffer.alloc(0),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`rejects ${name}`, () => {
      expect(ecPublicPoint(change(generateEcKeyPair(256).pkcs8Der))).to.equal(undefined);
    });
  }
});

function changed(key: Buffer, at: number, by: number): Buffer {
  const copy = Buffer.from(key);
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
}
