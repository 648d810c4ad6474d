import { expect } from 'chai';
import fc from 'fast-check';
import asn1 from 'node-forge/lib/asn1.js';
import { contextTag, DerWriter, der, objectIdentifier, TAG } from '../../../src/crypto/der.ts';
import { OID } from '../../../src/crypto/x509-encoding.ts';

const OPTIONS = { strict: true, parseAllBytes: true, decodeBitStrings: false } as const;

function contentOf(element: Buffer): Buffer {
  const { value } = asn1.fromDer(element.toString('latin1'), OPTIONS);
  return Buffer.from(String(value), 'latin1');
}

describe('der', () => {
  const lengths: Record<number, string> = {
    0: '0400',
    127: '047f',
    128: '048180',
    255: '0481ff',
    256: '04820100',
    65535: '0482ffff',
    65536: '0483010000',
  };
  for (const [length, head] of Object.entries(lengths)) {
    it(`writes a length of ${length} in the shortest form`, () => {
      const content = Buffer.alloc(Number(length), 7);
      expect(der(TAG.octetString, content).toString('hex')).to.equal(head + content.toString('hex'));
    });
  }

  it('throws beyond 16,777,215 octets', () => {
    expect(() => der(TAG.octetString, Buffer.alloc(0x100_0000))).to.throw(RangeError);
  });

  it('puts the contents one after another', () => {
    expect(der(TAG.sequence, Buffer.of(1), Buffer.of(2, 3)).toString('hex')).to.equal('3003010203');
  });

  it('writes what another implementation reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), (content) => {
        expect(contentOf(der(TAG.octetString, content)).equals(content)).to.equal(true);
      }),
    );
  });
});

describe('objectIdentifier', () => {
  for (const [name, dotted] of Object.entries(OID)) {
    it(`writes ${name} as another implementation does`, () => {
      expect(asn1.derToOid(contentOf(objectIdentifier(dotted)).toString('latin1'))).to.equal(dotted);
    });
  }
});

describe('contextTag', () => {
  it('tells primitive from constructed', () => {
    expect([contextTag(2, 'primitive'), contextTag(3, 'constructed')]).to.deep.equal([0x82, 0xa3]);
  });
});

describe('DerWriter', () => {
  it('writes from the last octet to the first', () => {
    const writer = new DerWriter();
    writer.ascii('c');
    writer.octet(0x62);
    writer.bytes(Buffer.from('a'));
    expect(writer.copy().toString()).to.equal('abc');
  });

  it('wraps only what was written since the mark', () => {
    const writer = new DerWriter();
    writer.octet(9);
    const mark = writer.length;
    writer.octet(1);
    writer.wrap(TAG.integer, mark);
    expect(writer.copy().toString('hex')).to.equal('02010109');
  });

  it('forgets everything when cleared', () => {
    const writer = new DerWriter();
    writer.ascii('secret');
    writer.clear();
    expect([writer.length, writer.copy().toString()]).to.deep.equal([0, '']);
  });

  it('grows as far as needed and keeps what it has', () => {
    const writer = new DerWriter();
    for (let count = 0; count < 50_000; count++) writer.octet(count & 0xff);
    const written = writer.copy();
    expect([written.length, written[0], written[49_999]]).to.deep.equal([50_000, 49_999 & 0xff, 0]);
  });

  it('gives a copy that later writing does not change', () => {
    const writer = new DerWriter();
    writer.ascii('a');
    const copy = writer.copy();
    writer.clear();
    writer.ascii('b');
    expect(copy.toString()).to.equal('a');
  });
});
