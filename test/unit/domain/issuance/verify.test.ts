import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readIssuerAnswer } from '../../../../src/crypto/issuer-answer.ts';
import { ISSUER_FINDINGS } from '../../../../src/domain/issuance/findings.ts';
import {
  type Answer,
  ASKED,
  BAD_ANSWERS,
  findingsOf,
  forTls,
  inputOf,
  LONG,
  middle,
  root,
  signed,
} from '../../../support/issuance/bad-answers.ts';
import { TestCA } from '../../../support/issuance/test-ca.ts';
import { opensslVerify, T0 } from '../../crypto/fixture.ts';

const HOUR = 3_600_000;
const PAGE = join(import.meta.dirname, '../../../../docs/reference/issuer-input.md');

describe('verifyAnswer', () => {
  const rsa = new TestCA({ name: 'rsa', rsaBits: 2048, ...LONG });
  const next = new TestCA({ name: 'next', ...LONG });
  const ending = new TestCA({ name: 'ending', ...LONG, notAfterMs: T0 + 12 * HOUR });
  const GOOD: readonly (readonly [string, Answer])[] = [
    ['what was asked for', {}],
    ['a chain with an intermediate', { certificate: signed({}, middle) + middle.pem }],
    ['a chain with its root, which is left out', { certificate: signed({}, middle) + middle.pem + root.pem }],
    ['the CA that came with it, when none is listed', { known: '' }],
    [
      'the root that came in the chain, when there is no other',
      { known: '', ca: '', certificate: signed() + root.pem },
    ],
    ['a chain with an intermediate for TLS alone', { certificate: signed({}, forTls) + forTls.pem }],
    ['one of two CAs that are listed', { known: next.pem + root.pem }],
    ['a CA with an RSA key', { certificate: signed({}, rsa), known: rsa.pem }],
    ['two minutes of back-dating', { certificate: signed({ notBeforeMs: T0 - 120_000 }) }],
    [
      'a life that is cut to a minute before the end of the CA',
      { certificate: signed({ notAfterMs: T0 + 12 * HOUR - 60_000 }, ending), known: ending.pem },
    ],
    ['a serial number of 20 octets', { certificate: signed({ serial: Buffer.alloc(20, 0x22) }) }],
  ];
  for (const [title, answer] of GOOD) {
    it(`accepts ${title}`, () => expect(findingsOf(answer)).to.deep.equal([]));
  }

  for (const [title, answer, findings] of BAD_ANSWERS) {
    it(`rejects ${title}`, () => expect(findingsOf(answer)).to.deep.equal(findings));
  }

  it('says everything that is wrong, in the order of the table', () => {
    const certificate = signed({ notAfterMs: ASKED.notAfterMs + HOUR, hash: 'sha1' }, next);
    expect(findingsOf({ certificate, profile: { dnsNames: [] } })).to.deep.equal([
      'DnsNamesDiffer',
      'LifeDiffers',
      'NotSignedByCA',
      'WeakAlgorithm',
    ]);
  });

  it('has a bad answer for every finding', () => {
    const found = new Set(BAD_ANSWERS.flatMap(([, , findings]) => findings));
    expect([...found]).to.have.members(Object.keys(ISSUER_FINDINGS));
  });

  it('has its findings on a page, each with a way out', async () => {
    const page = await readFile(PAGE, 'utf8');
    for (const [finding, { means, wayOut }] of Object.entries(ISSUER_FINDINGS))
      expect(page).to.include(`| \`${finding}\` | ${means} | ${wayOut} |`);
  });
});

describe('readIssuerAnswer', () => {
  it('gives the chain without the CA, which OpenSSL verifies with the CA alone', async () => {
    const certificate = signed({}, middle) + middle.pem + root.pem;
    const { chainPem, anchor, facts } = readIssuerAnswer(inputOf({ certificate }));
    expect(chainPem).to.equal(certificate.slice(0, -root.pem.length));
    expect(anchor?.certificate.raw).to.deep.equal(new X509Certificate(root.pem).raw);
    expect(facts.leaf).to.include({ authorityId: anchor?.id, chainLength: 2, intermediateCount: 1 });
  });

  it('gives a leaf that OpenSSL verifies', async () => {
    const { chainPem } = readIssuerAnswer(inputOf({}));
    for (const purpose of ['sslserver', 'sslclient'] as const) {
      const verdict = await opensslVerify({
        trustBundle: root.pem,
        certificate: chainPem,
        purpose,
        atMs: T0 + HOUR,
      });
      expect(verdict).to.equal('OK');
    }
  });
});
