/** What an issuer may do wrong, one by one, and what is said of it. */

import { createCertificateRequest } from '../../../src/crypto/certificate-request.ts';
import { contextTag, der, objectIdentifier, TAG } from '../../../src/crypto/der.ts';
import { type IssuerAnswer, readIssuerAnswer } from '../../../src/crypto/issuer-answer.ts';
import { readIssuerCertificates } from '../../../src/crypto/issuer-certificates.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { distinguishedName, extension, OID } from '../../../src/crypto/x509-encoding.ts';
import type { LeafProfile } from '../../../src/domain/certificate/profile.ts';
import type { IssuerFinding } from '../../../src/domain/issuance/findings.ts';
import { verifyAnswer } from '../../../src/domain/issuance/verify.ts';
import { profile as leafProfile, storedAuthority, T0 } from '../../unit/crypto/fixture.ts';
import {
  otherKey,
  type ParsedRequest,
  parseRequest,
  type SigningOptions,
  TestCA,
  type Times,
} from './test-ca.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const keyPair = generateEcKeyPair(256);
const csrDer = createCertificateRequest(leafProfile, keyPair);

/** The request that all answers are for. */
const request: ParsedRequest = parseRequest(
  Buffer.from(
    `-----BEGIN CERTIFICATE REQUEST-----\n${csrDer.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
  ),
);
/** Ten years. */
export const LONG: Times = { notBeforeMs: T0 - DAY, notAfterMs: T0 + 3650 * DAY };
/** What was asked for. */
export const ASKED: Times = { notBeforeMs: T0, notAfterMs: T0 + DAY };

export const root: TestCA = new TestCA({ name: 'root', ...LONG });
export const middle: TestCA = new TestCA({ name: 'middle', issuer: root, pathLength: 0, ...LONG });
const other = new TestCA({ name: 'other', ...LONG });
const weakRoot = new TestCA({ name: 'weak', rsaBits: 1024, ...LONG });

/** An answer; absent parts are those of an honest one. */
export interface Answer {
  readonly certificate?: string;
  readonly ca?: string;
  /** The CAs of the issuer that are listed; default is its root. */
  readonly known?: string;
  readonly profile?: Partial<LeafProfile>;
  readonly refuseLeafsBeforeMs?: number;
}

/** What the verifier finds. */
export function findingsOf({ profile, refuseLeafsBeforeMs, ...answer }: Answer): readonly IssuerFinding[] {
  const wish = { profile: { ...leafProfile, ...profile }, refuseLeafsBeforeMs };
  return verifyAnswer(wish, readIssuerAnswer(inputOf(answer)).facts, T0);
}

/** What is read. */
export function inputOf({ certificate = signed(), ca = root.pem, known = root.pem }: Answer): IssuerAnswer {
  const read = known === '' ? undefined : readIssuerCertificates(Buffer.from(known));
  if (read?.kind === 'refuse') throw new Error(read.message);
  return {
    certificatePem: Buffer.from(certificate),
    caPem: Buffer.from(ca),
    spkiDer: keyPair.spkiDer,
    known: read?.certificates ?? [],
  };
}

/** An honest leaf, but for what is said. */
export function signed(changes: Partial<ParsedRequest & SigningOptions> = {}, by: TestCA = root): string {
  return by.sign({ ...request, ...changes }, { ...ASKED, ...changes });
}

function withExtension(oid: string, value: Buffer, form: 'critical' | 'plain' = 'plain'): readonly Buffer[] {
  const id = objectIdentifier(oid);
  return [...request.extensions.filter((each) => !each.includes(id)), extension(oid, value, form)];
}

function names(...list: readonly (readonly [choice: number, text: string])[]): readonly Buffer[] {
  const encoded = list.map(([choice, text]) => der(contextTag(choice, 'primitive'), Buffer.from(text)));
  return withExtension(OID.subjectAltName, der(TAG.sequence, ...encoded));
}

const URI = [6, leafProfile.spiffeId] as const;
const DNS = leafProfile.dnsNames.map((name) => [2, name] as const);
const flipped = (pem: string): string => {
  const octets = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  octets[octets.length - 5] = (octets[octets.length - 5] ?? 0) ^ 1;
  return encodePem('CERTIFICATE', octets);
};
const usage = (...octets: readonly number[]): readonly Buffer[] =>
  withExtension(OID.keyUsage, der(TAG.bitString, Buffer.from(octets)), 'critical');
const extended = (...oids: readonly string[]): readonly Buffer[] =>
  withExtension(OID.extendedKeyUsage, der(TAG.sequence, ...oids.map(objectIdentifier)));
const authority = extension(
  OID.basicConstraints,
  der(TAG.sequence, der(TAG.boolean, Buffer.of(0xff))),
  'critical',
);
const short = new TestCA({ name: 'short', issuer: root, ...LONG, notAfterMs: T0 + HOUR });
const expired = new TestCA({
  name: 'expired',
  issuer: root,
  notBeforeMs: T0 - 9 * DAY,
  notAfterMs: T0 - DAY,
});
const noAuthority = new TestCA({ name: 'leaf', issuer: root, isAuthority: false, ...LONG });
const below = new TestCA({ name: 'below', issuer: middle, ...LONG });
const narrow = new TestCA({
  name: 'narrow',
  issuer: root,
  more: [
    extension(
      OID.nameConstraints,
      der(
        TAG.sequence,
        der(
          contextTag(0, 'constructed'),
          der(TAG.sequence, der(contextTag(2, 'primitive'), Buffer.from('example.org'))),
        ),
      ),
      'critical',
    ),
  ],
  ...LONG,
});
const usagesOf = (...oids: readonly string[]): Buffer =>
  extension(OID.extendedKeyUsage, der(TAG.sequence, ...oids.map(objectIdentifier)));
const forServers = new TestCA({
  name: 'servers',
  issuer: root,
  more: [usagesOf(OID.serverAuth)],
  ...LONG,
});
const forClients = new TestCA({ name: 'clients', more: [usagesOf(OID.clientAuth)], ...LONG });
/** One that may sign for TLS alone. */
export const forTls: TestCA = new TestCA({
  name: 'TLS',
  issuer: root,
  more: [usagesOf(OID.clientAuth, OID.serverAuth)],
  ...LONG,
});
const endingRoot = new TestCA({ name: 'ending', ...LONG, notAfterMs: T0 + HOUR });

/** Each answer is wrong in one way, and this is all that is found. */
export const BAD_ANSWERS: readonly (readonly [
  title: string,
  answer: Answer,
  findings: readonly IssuerFinding[],
])[] = [
  ['nothing at all', { certificate: '' }, ['AnswerUnreadable']],
  ['text that is no PEM', { certificate: 'certificate follows by mail' }, ['AnswerUnreadable']],
  ['PEM that is cut off', { certificate: signed().slice(0, 400) }, ['AnswerUnreadable']],
  ['text beside the PEM', { certificate: `subject=/CN=x\n${signed()}` }, ['AnswerUnreadable']],
  [
    'a private key beside it',
    { certificate: `${signed()}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n` },
    ['AnswerUnreadable'],
  ],
  ['eleven certificates', { certificate: signed() + root.pem.repeat(10) }, ['AnswerUnreadable']],
  [
    'PEM of a megabyte',
    { certificate: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1_000_000)}\n-----END CERTIFICATE-----\n` },
    ['AnswerUnreadable'],
  ],
  [
    'octets that are no certificate',
    { certificate: encodePem('CERTIFICATE', Buffer.from('not DER')) },
    ['AnswerUnreadable'],
  ],
  [
    'a critical extension that nobody knows',
    {
      certificate: signed({
        extensions: [
          ...request.extensions,
          extension('1.3.6.1.4.1.99999.1', der(TAG.integer, Buffer.of(1)), 'critical'),
        ],
      }),
    },
    ['AnswerUnreadable'],
  ],
  ['another key', { certificate: signed({ spkiDer: otherKey() }) }, ['KeyDiffers']],
  [
    'the SPIFFE ID of another agent',
    {
      certificate: signed({
        extensions: names([6, 'spiffe://example.org/ns/ai-agents/sa/agent-planner'], ...DNS),
      }),
    },
    ['SpiffeIdDiffers'],
  ],
  ['no SPIFFE ID', { certificate: signed({ extensions: names(...DNS) }) }, ['SpiffeIdDiffers']],
  [
    'a second SPIFFE ID',
    { certificate: signed({ extensions: names(URI, [6, 'spiffe://example.org/ns/a/sa/b'], ...DNS) }) },
    ['SpiffeIdDiffers'],
  ],
  [
    'a further DNS name',
    { certificate: signed({ extensions: names(URI, ...DNS, [2, 'bank.example.com']) }) },
    ['DnsNamesDiffer'],
  ],
  [
    'a DNS name less',
    { certificate: signed({ extensions: names(URI, ...DNS.slice(1)) }) },
    ['DnsNamesDiffer'],
  ],
  [
    'an e-mail address',
    { certificate: signed({ extensions: names(URI, ...DNS, [1, 'a@example.com']) }) },
    ['OtherNames'],
  ],
  [
    'another organization',
    {
      certificate: signed({
        subjectDer: distinguishedName([
          [OID.organization, 'Example Inc.'],
          [OID.commonName, leafProfile.commonName ?? ''],
        ]),
      }),
    },
    ['SubjectDiffers'],
  ],
  ['an empty subject', { certificate: signed({ subjectDer: distinguishedName([]) }) }, ['SubjectDiffers']],
  [
    'a CA',
    { certificate: root.signAsIs({ ...request, extensions: [...request.extensions, authority] }, ASKED) },
    ['UsagesDiffer'],
  ],
  [
    'the right to sign certificates',
    { certificate: signed({ extensions: usage(2, 0x84) }) },
    ['UsagesDiffer'],
  ],
  [
    'a further extended usage',
    { certificate: signed({ extensions: extended(OID.clientAuth, OID.serverAuth, OID.documentSigning) }) },
    ['UsagesDiffer'],
  ],
  [
    'client authentication only',
    { certificate: signed({ extensions: extended(OID.clientAuth) }) },
    ['UsagesDiffer'],
  ],
  ['a longer life', { certificate: signed({ notAfterMs: T0 + 2 * DAY }) }, ['LifeDiffers']],
  ['a shorter life', { certificate: signed({ notAfterMs: T0 + HOUR }) }, ['LifeDiffers']],
  [
    'a life that begins tomorrow',
    { certificate: signed({ notBeforeMs: T0 + DAY, notAfterMs: T0 + 2 * DAY }) },
    ['NotYetValid'],
  ],
  ['a life that is over', { certificate: signed({ notBeforeMs: T0 - DAY, notAfterMs: T0 }) }, ['AboutToEnd']],
  [
    'a beginning before the key was taken away',
    { certificate: signed({ notBeforeMs: T0 - MINUTE }), refuseLeafsBeforeMs: T0 - 1 },
    ['TooOld'],
  ],
  [
    'a serial number of 21 octets',
    { certificate: signed({ serial: Buffer.alloc(21, 0x22) }) },
    ['SerialNumberTooLong'],
  ],
  ['no CA, and none is listed', { known: '', ca: '' }, ['CAMissing']],
  ['a CA that is no PEM, and none is listed', { known: '', ca: 'see our web page' }, ['CAUnusable']],
  [
    'an intermediate as CA, and none is listed',
    { known: '', ca: middle.pem, certificate: signed({}, middle) },
    ['CAUnusable'],
  ],
  [
    'a CA with the name of the built-in authority',
    { known: '', ca: storedAuthority().certificatePem },
    ['CAUnusable'],
  ],
  [
    'a leaf of another CA than the one listed',
    { certificate: signed({}, other), ca: other.pem },
    ['NotSignedByCA'],
  ],
  [
    'a leaf of another CA than the one it hands back',
    { known: '', certificate: signed({}, other) },
    ['NotSignedByCA'],
  ],
  ['a signature with a bit flipped', { certificate: flipped(signed()) }, ['NotSignedByCA']],
  ['a chain without its intermediate', { certificate: signed({}, middle) }, ['NotSignedByCA']],
  ['a chain with another intermediate', { certificate: signed({}, middle) + short.pem }, ['NotSignedByCA']],
  [
    'an intermediate that is no CA',
    { certificate: signed({}, noAuthority) + noAuthority.pem },
    ['NotAnAuthority'],
  ],
  [
    'two intermediates below one that allows none',
    { certificate: signed({}, below) + below.pem + middle.pem },
    ['ChainTooLong'],
  ],
  [
    'an intermediate that constrains names',
    { certificate: signed({}, narrow) + narrow.pem },
    ['ChainRestricted'],
  ],
  [
    'an intermediate for servers alone',
    { certificate: signed({}, forServers) + forServers.pem },
    ['ChainRestricted'],
  ],
  [
    'a CA for clients alone',
    { certificate: signed({}, forClients), known: forClients.pem },
    ['ChainRestricted'],
  ],
  [
    'another authority key identifier',
    { certificate: signed({ authorityKeyId: Buffer.alloc(20, 1) }) },
    ['ChainOutOfOrder'],
  ],
  ['an intermediate that ends earlier', { certificate: signed({}, short) + short.pem }, ['ChainEndsEarlier']],
  [
    'an intermediate that has ended',
    { certificate: signed({}, expired) + expired.pem },
    ['ChainEndsEarlier'],
  ],
  [
    'a life beyond the end of the CA',
    { certificate: signed({}, endingRoot), known: endingRoot.pem },
    ['ChainEndsEarlier'],
  ],
  ['a signature with SHA-1', { certificate: signed({ hash: 'sha1' }) }, ['WeakAlgorithm']],
  [
    'a CA with 1024 bits of RSA',
    { certificate: signed({}, weakRoot), known: weakRoot.pem },
    ['WeakAlgorithm'],
  ],
];
