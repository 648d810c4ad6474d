import { expect } from 'chai';
import fc from 'fast-check';
import { combinedPem, decodePem, encodePem, type PemForm } from '../../../src/crypto/pem.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { storedAuthority } from './fixture.ts';

const FORM: PemForm = { label: 'CERTIFICATE', limitBytes: 10_000, maxBlocks: 2 };
const one = encodePem('CERTIFICATE', Buffer.from([1, 2, 3, 4]));
const block = Buffer.from([1, 2, 3, 4]);

describe('encodePem', () => {
  it('writes a certificate as OpenSSL does', () => {
    const { certificate, certificatePem } = storedAuthority();
    expect(certificatePem).to.equal(certificate.toString());
  });

  it('writes lines of 64 characters and no empty one', () => {
    for (const bytes of [47, 48, 49, 96]) {
      const lines = encodePem('PRIVATE KEY', Buffer.alloc(bytes, 0xff)).split('\n').slice(1, -2);
      const lengths = lines.map(({ length }) => length);
      const characters = Math.ceil(bytes / 3) * 4;
      const wanted = characters > 64 ? [64, characters - 64] : [characters];
      expect(lengths).to.deep.equal(wanted);
    }
  });
});

describe('combinedPem', () => {
  it('is the key and then the certificate', () => expect(combinedPem('c\n', 'k\n')).to.equal('k\nc\n'));
});

describe('decodePem', () => {
  const accepted: Record<string, { readonly text: string; readonly count: number }> = {
    'one block': { text: one, count: 1 },
    'two blocks': { text: one + one, count: 2 },
    'space before, between and after': { text: `\n ${one}\n\n${one} \n\n`, count: 2 },
    'lines that end with CRLF': { text: one.replaceAll('\n', '\r\n'), count: 1 },
    'no line feed at the end': { text: one.trimEnd(), count: 1 },
  };
  for (const [name, { text, count }] of Object.entries(accepted)) {
    it(`accepts ${name}`, () => {
      const blocks = Array(count).fill(block);
      expect(decodePem(Buffer.from(text), FORM)).to.deep.equal({ kind: 'blocks', blocks });
    });
  }

  const notPem = 'was not PEM of type CERTIFICATE';
  const rejected: Record<string, { readonly text: string; readonly problem: string }> = {
    'an empty text': { text: '', problem: 'was empty' },
    'nothing but space': { text: ' \n\t\n', problem: 'was empty' },
    'more blocks than allowed': { text: one + one + one, problem: 'held more than 2 PEM blocks' },
    'more bytes than allowed': { text: one + ' '.repeat(10_000), problem: 'was larger than 10000 bytes' },
    'another label': { text: one.replaceAll('CERTIFICATE', 'PRIVATE KEY'), problem: notPem },
    'different labels at both ends': {
      text: one.replace('END CERTIFICATE', 'END X509 CRL'),
      problem: notPem,
    },
    'text before the first block': { text: `subject=CN = a\n${one}`, problem: notPem },
    'text after the last block': { text: `${one}junk`, problem: notPem },
    'a block without end': { text: one.slice(0, 40), problem: notPem },
    'a block without content': {
      text: '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      problem: notPem,
    },
    'a block of line feeds': {
      text: '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n',
      problem: notPem,
    },
    'headers inside a block': { text: one.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n'), problem: notPem },
    'base64 with bits left over': { text: one.replace('BA==', 'BB=='), problem: notPem },
    'base64 without padding': { text: one.replace('BA==', 'BA'), problem: notPem },
    base64url: {
      text: encodePem('CERTIFICATE', Buffer.alloc(3, 0xff)).replace('////', '____'),
      problem: notPem,
    },
    'a null byte': { text: `${one}\0`, problem: notPem },
  };
  for (const [name, { text, problem }] of Object.entries(rejected)) {
    it(`rejects ${name}`, () => {
      expect(decodePem(Buffer.from(text), FORM)).to.deep.equal({ kind: 'problem', problem });
    });
  }

  it('reads what encodePem writes, also from the middle of a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), (content) => {
        const whole = Buffer.from(`xx${encodePem('CERTIFICATE', Buffer.from(content))}yy`);
        const decoded = decodePem(whole.subarray(2, -2), FORM);
        expect(decoded).to.deep.equal({ kind: 'blocks', blocks: [Buffer.from(content)] });
      }),
    );
  });

  it('takes time in proportion to the text, whatever it is', () => {
    const hostile = [
      '-----BEGIN CERTIFICATE-----\n'.repeat(11_000),
      `-----BEGIN CERTIFICATE-----\n${'A\n'.repeat(150_000)}`,
      ' \n'.repeat(160_000),
      `-----BEGIN ${'A '.repeat(150_000)}`,
    ];
    const took = cpuMs(() => {
      for (const text of hostile)
        decodePem(Buffer.from(text), { ...FORM, limitBytes: 330_000, maxBlocks: 1_000 });
    });
    expect(took).to.be.lessThan(2_000);
  });
});
