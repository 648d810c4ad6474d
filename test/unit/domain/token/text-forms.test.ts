import { expect } from 'chai';
import fc from 'fast-check';
import { parseAgentSpiffeId } from '../../../../src/domain/certificate/spiffe-id.ts';
import {
  isAgentId,
  isDigest,
  isIssuerUrl,
  isPrincipal,
  isUuidV7,
} from '../../../../src/domain/token/text-forms.ts';

describe('isAgentId', () => {
  it('is what parseAgentSpiffeId reads', () => {
    const pieces = [
      'spiffe://',
      'SPIFFE://',
      'a',
      'a.b',
      'A_-',
      '.',
      '..',
      '...',
      '/ns/',
      '/sa/',
      '/',
      '%',
      'é',
      '\n',
      '',
    ];
    const any = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(''));
    const near = fc
      .tuple(...[0, 1, 2, 3].map(() => fc.constantFrom(...pieces)))
      .map(([domain, namespace, account, end]) => `spiffe://${domain}/ns/${namespace}/sa/${account}${end}`);
    fc.assert(
      fc.property(fc.oneof(any, near), (text) => {
        expect(isAgentId(text)).to.equal(parseAgentSpiffeId(text) !== undefined);
      }),
      { numRuns: 5000 },
    );
    const long = (length: number): string => `spiffe://a/ns/b/sa/${'c'.repeat(length - 19)}`;
    expect([2048, 2049].map((length) => isAgentId(long(length)))).to.deep.equal([true, false]);
    expect(isAgentId(`spiffe://${'a'.repeat(256)}/ns/b/sa/c`)).to.equal(false);
  });
});

describe('isPrincipal', () => {
  for (const text of ['spiffe://a/ns/b/sa/c', '248289761001', 'a b', 'x'.repeat(255)])
    it(`accepts ${text.slice(0, 30)}`, () => expect(isPrincipal(text)).to.equal(true));
  for (const text of ['', 'SPIFFE://a/ns/b/sa/c', 'spiffe:x', 'Spiffe:', 'é', 'a\nb', 'x'.repeat(256)])
    it(`refuses ${JSON.stringify(text).slice(0, 30)}`, () => expect(isPrincipal(text)).to.equal(false));
});

describe('isIssuerUrl', () => {
  for (const text of ['https://a', 'https://a.b:8443/x/y', 'https://a/'])
    it(`accepts ${text}`, () => expect(isIssuerUrl(text)).to.equal(true));
  for (const text of [
    'http://a',
    'https://A',
    'https://a?x',
    'https://a#x',
    'https://u@a',
    'https://a//b',
    'https://',
    `https://a/${'x'.repeat(512)}`,
  ])
    it(`refuses ${text.slice(0, 30)}`, () => expect(isIssuerUrl(text)).to.equal(false));
});

describe('isUuidV7', () => {
  it('accepts version 7 in lower case and nothing else', () => {
    const texts = [
      '01a1f866-0d01-7be0-9f3f-f7ed220a7e4b',
      '01a1f866-0d01-4be0-9f3f-f7ed220a7e4b',
      '01a1f866-0d01-7be0-cf3f-f7ed220a7e4b',
      '01A1F866-0d01-7be0-9f3f-f7ed220a7e4b',
    ];
    expect(texts.map(isUuidV7)).to.deep.equal([true, false, false, false]);
  });
});

describe('isDigest', () => {
  it('accepts the base64url of 32 octets, which has no bit to spare', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 30, maxLength: 34 }), (octets) => {
        const text = Buffer.from(octets).toString('base64url');
        expect(isDigest(text)).to.equal(octets.length === 32);
      }),
    );
    expect(isDigest(`${'A'.repeat(42)}B`)).to.equal(false);
  });
});
