import { expect } from 'chai';
import fc from 'fast-check';
import { decodeBase64url, encodeBase64url } from '../../../../src/domain/token/base64url.ts';

describe('decodeBase64url', () => {
  it('reads what is written, whatever the octets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeBase64url(encodeBase64url(text))?.toString()).to.equal(Buffer.from(text).toString());
      }),
    );
  });

  it('reads texts of any length as Buffer does, and no other than that it writes', () => {
    const characters = fc.constantFrom(...'AZaz09-_Qgw+/= .\n\u0141'.split(''));
    fc.assert(
      fc.property(
        fc.array(characters, { maxLength: 140 }).map((each) => each.join('')),
        fc.uint8Array({ maxLength: 110 }).map((octets) => Buffer.from(octets).toString('base64url')),
        (text, written) => {
          const octets = Buffer.from(text, 'base64url');
          const isStrict = octets.toString('base64url') === text;
          expect(decodeBase64url(text)?.toString('hex')).to.equal(
            isStrict ? octets.toString('hex') : undefined,
          );
          expect(decodeBase64url(written)?.toString('base64url')).to.equal(written);
        },
      ),
      { numRuns: 5000 },
    );
  });

  for (const text of [
    'QQ==',
    'QQ=',
    'QR',
    'Q',
    'Q+',
    'Q/',
    ' QQ',
    'QQ\n',
    'Q Q',
    'QUJ=',
    '\u0141AAA',
    'AA\u0141A',
    'AA\u0141',
  ])
    it(`refuses ${JSON.stringify(text)}`, () => expect(decodeBase64url(text)).to.equal(undefined));
});
