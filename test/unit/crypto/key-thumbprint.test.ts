import { createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { keyThumbprint } from '../../../src/crypto/key-thumbprint.ts';

/** RFC 5480: a key on P-256 whose point is compressed. */
const COMPRESSED = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');

function compressed(publicKey: KeyObject): KeyObject {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const short = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed') as Buffer;
  return createPublicKey({ key: Buffer.concat([COMPRESSED, short]), format: 'der', type: 'spki' });
}

describe('keyThumbprint', () => {
  it('is that of RFC 7638 section 3.1', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    expect(keyThumbprint(key)).to.equal('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('is the same for every encoding of a key, and another for another key', () => {
    const [one, other] = [0, 0].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    if (one === undefined || other === undefined) throw new Error('no keys');
    const form = { type: 'spki', format: 'der' } as const;
    expect(compressed(one).export(form)).to.not.deep.equal(one.export(form));
    expect(keyThumbprint(compressed(one))).to.equal(keyThumbprint(one));
    expect(keyThumbprint(other)).to.not.equal(keyThumbprint(one));
  });
});
