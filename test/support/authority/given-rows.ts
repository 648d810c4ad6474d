/**
 * What people may put into the Secret of a given authority, and what is said to it. docs/reference/authority-input.md is
 * generated from these rows.
 */

import { type RefusedKeys, withRefused } from '../../../src/controllers/authority/refused-keys.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import type { Authority } from '../../../src/crypto/authority-reader.ts';
import { der, TAG } from '../../../src/crypto/der.ts';
import { readGeneration } from '../../../src/crypto/generation.ts';
import { extension } from '../../../src/crypto/x509-encoding.ts';
import type { GivenReason } from '../../../src/domain/authority/given-refusal.ts';
import { GIVEN_NOW_MS, type GivenCa, type GivenCaOptions, givenCa } from './given-ca.ts';

/** One row. */
export interface GivenRow {
  readonly name: string;
  /** Undefined: there is none. */
  readonly secret: () => Secret | undefined;
  /** Undefined: it is taken. */
  readonly reason: GivenReason | undefined;
  /** Generations that are trusted already. */
  readonly generations?: readonly Authority[];
  /** Keys that are not taken again. */
  readonly refused?: RefusedKeys;
}

interface Data {
  readonly crt?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly type?: string;
}

const DAY_MS = 86_400_000;
const ROOT = givenCa({ name: 'Root' });
const OTHER = givenCa({ name: 'Other' });
const RSA = givenCa({ name: 'RSA root', key: { rsaBits: 2048 } });
const TLS_USAGES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

/** A Secret with these texts. */
export function givenSecret({ crt, key, ca, type = 'kubernetes.io/tls' }: Data): Secret {
  const texts = { 'tls.crt': crt, 'tls.key': key, 'ca.crt': ca };
  const data = Object.entries(texts)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, text]) => [name, Buffer.from(text, 'latin1').toString('base64')]);
  const metadata = { name: 'corporate-ca', namespace: 'agent-trust-system', uid: 'u', resourceVersion: '1' };
  return { metadata, type, data: Object.fromEntries(data) };
}

function root(options: GivenCaOptions = {}): () => Secret {
  return () => {
    const made = givenCa({ name: 'Root', ...options });
    return givenSecret({ crt: made.pem, key: made.keyPem });
  };
}

/** One below {@link ROOT}, with the root behind it. */
function below(options: GivenCaOptions = {}, above: GivenCa = ROOT): () => Secret {
  return () => {
    const made = givenCa({ name: 'Intermediate', issuer: above, ...options });
    return givenSecret({ crt: made.pem + above.pem, key: made.keyPem });
  };
}

function secret(data: Data): () => Secret {
  return () => givenSecret(data);
}

function keyAs(type: 'sec1' | 'pkcs1', { key }: GivenCa): string {
  return key.export({ type, format: 'pem' } as { type: 'sec1'; format: 'pem' }).toString();
}

function until(days: number): GivenCaOptions {
  return { life: { notBeforeMs: GIVEN_NOW_MS - DAY_MS, notAfterMs: GIVEN_NOW_MS + days * DAY_MS } };
}

function generationOf(ca: GivenCa): Authority {
  const read = readGeneration({ certificatePem: Buffer.from(ca.pem), privateKeyPem: Buffer.from(ca.keyPem) });
  if (read.kind === 'refuse') throw new Error(read.message);
  return read.authority;
}

/** What is taken. */
export const GIVEN_TAKEN: readonly GivenRow[] = [
  taken('a root on P-256', root()),
  taken('a root on P-384', root({ key: 'p-384' })),
  taken('an RSA root of 2048 bits', root({ key: { rsaBits: 2048 } })),
  taken('a root that allows no authority below itself', root({ basicConstraints: { pathLength: 0 } })),
  taken('an intermediate, its root behind it', below()),
  taken('an intermediate below an RSA root', below({}, RSA)),
  taken('an intermediate, its root in ca.crt among others', () => {
    const made = givenCa({ name: 'Intermediate', issuer: ROOT });
    return givenSecret({ crt: made.pem, key: made.keyPem, ca: OTHER.pem + ROOT.pem });
  }),
  taken('two intermediates and their root', () => {
    const upper = givenCa({ name: 'Upper', issuer: ROOT, basicConstraints: { pathLength: 1 } });
    const lower = givenCa({ name: 'Lower', issuer: upper, basicConstraints: { pathLength: 0 } });
    return givenSecret({ crt: lower.pem + upper.pem + ROOT.pem, key: lower.keyPem });
  }),
  taken(
    'a root with garbage in ca.crt, which nobody needs',
    secret({ crt: ROOT.pem, key: ROOT.keyPem, ca: 'x' }),
  ),
  taken('a key in SEC 1, as openssl ecparam writes it', secret({ crt: ROOT.pem, key: keyAs('sec1', ROOT) })),
  taken('a key in PKCS#1, as cert-manager writes it', secret({ crt: RSA.pem, key: keyAs('pkcs1', RSA) })),
  taken(
    'an intermediate for the names of this cluster alone',
    below({
      nameConstraints: {
        permitted: [
          [6, 'cluster.local'],
          [2, 'svc'],
          [2, 'cluster.local'],
        ],
        excluded: [[2, 'example.org']],
      },
    }),
  ),
  taken('an intermediate for TLS alone', below({ extendedKeyUsages: TLS_USAGES })),
  taken('a root with the SPIFFE ID of the trust domain', root({ uri: 'spiffe://cluster.local' })),
  taken('one that ends in exactly 168 h', root(until(7))),
];

/** What is refused. */
export const GIVEN_REFUSED: readonly GivenRow[] = [
  { name: 'no Secret of this name', secret: () => undefined, reason: 'SecretMissing' },
  refused(
    'a Secret of type Opaque',
    secret({ crt: ROOT.pem, key: ROOT.keyPem, type: 'Opaque' }),
    'WrongType',
  ),
  refused('no tls.crt', secret({ key: ROOT.keyPem }), 'CertificateMissing'),
  refused('an empty tls.crt', secret({ crt: '', key: ROOT.keyPem }), 'CertificateMissing'),
  refused(
    '100,000 bytes of tls.crt',
    secret({ crt: 'x'.repeat(100_000), key: ROOT.keyPem }),
    'CertificateTooLarge',
  ),
  refused(
    'a certificate of more than 8,192 bytes',
    root({ more: [extension('1.2.3.4', der(TAG.octetString, Buffer.alloc(8_192)))] }),
    'CertificateTooLarge',
  ),
  refused('garbage in tls.crt', secret({ crt: 'garbage', key: ROOT.keyPem }), 'CertificateUnreadable'),
  refused(
    'text around the PEM',
    secret({ crt: `Subject: CN=Root\n${ROOT.pem}`, key: ROOT.keyPem }),
    'CertificateUnreadable',
  ),
  refused('a key in tls.crt', secret({ crt: ROOT.keyPem, key: ROOT.keyPem }), 'CertificateUnreadable'),
  refused(
    'PEM around something else',
    secret({ crt: '-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n', key: ROOT.keyPem }),
    'CertificateUnreadable',
  ),
  refused(
    'garbage in ca.crt, where the root should be',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem, key: made.keyPem, ca: 'garbage' });
    },
    'CertificateUnreadable',
  ),
  refused('five certificates', secret({ crt: ROOT.pem.repeat(5), key: ROOT.keyPem }), 'ChainTooLong'),
  refused(
    'four intermediates, their root in ca.crt',
    () => {
      const chain: GivenCa[] = [ROOT];
      for (let at = 0; at < 4; at++)
        chain.unshift(givenCa({ name: `Authority ${at}`, ...issuerOf(chain[0]) }));
      const [first = ROOT] = chain;
      return givenSecret({
        crt: chain
          .slice(0, 4)
          .map(({ pem }) => pem)
          .join(''),
        key: first.keyPem,
        ca: ROOT.pem,
      });
    },
    'ChainTooLong',
  ),
  refused(
    'the root first, the intermediate behind it',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: ROOT.pem + made.pem, key: made.keyPem });
    },
    'ChainBroken',
  ),
  refused(
    'a foreign certificate behind the intermediate',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem + OTHER.pem, key: made.keyPem });
    },
    'ChainBroken',
  ),
  refused(
    'a root of the right name and another key',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem + givenCa({ name: 'Root' }).pem, key: made.keyPem });
    },
    'ChainBroken',
  ),
  refused(
    'an intermediate whose key identifier is of another root',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: { ...ROOT, keyId: OTHER.keyId } });
      return givenSecret({ crt: made.pem + ROOT.pem, key: made.keyPem });
    },
    'ChainBroken',
  ),
  refused(
    'an intermediate alone',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem, key: made.keyPem });
    },
    'ChainIncomplete',
  ),
  refused(
    'an intermediate, another root in ca.crt',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem, key: made.keyPem, ca: OTHER.pem });
    },
    'ChainIncomplete',
  ),
  refused('no tls.key', secret({ crt: ROOT.pem }), 'KeyMissing'),
  refused('garbage in tls.key', secret({ crt: ROOT.pem, key: 'garbage' }), 'KeyUnreadable'),
  refused(
    'an encrypted key',
    () => {
      const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
      return givenSecret({ crt: ROOT.pem, key: ROOT.key.export(encrypted).toString() });
    },
    'KeyUnreadable',
  ),
  refused(
    '14,000 bytes of tls.key',
    secret({ crt: ROOT.pem, key: `${ROOT.keyPem}${'\n'.repeat(14_000)}` }),
    'KeyUnreadable',
  ),
  refused('the key of another', secret({ crt: ROOT.pem, key: OTHER.keyPem }), 'KeyMismatch'),
  refused(
    'the key of the root with the intermediate',
    () => {
      const made = givenCa({ name: 'Intermediate', issuer: ROOT });
      return givenSecret({ crt: made.pem + ROOT.pem, key: ROOT.keyPem });
    },
    'KeyMismatch',
  ),
  refused(
    'a root that bears the name of the built-in authority',
    root({ name: 'agent-trust authority' }),
    'NameOfOurs',
  ),
  refused(
    'a critical extension that nobody knows',
    root({ more: [extension('1.2.3.4', der(TAG.sequence), 'critical')] }),
    'UnknownCriticalExtension',
  ),
  refused('a leaf', root({ basicConstraints: { isAuthority: false } }), 'NotAnAuthority'),
  refused(
    'an intermediate that is no authority',
    below({ basicConstraints: { isAuthority: false } }),
    'NotAnAuthority',
  ),
  refused(
    'a root that may not sign certificates',
    root({ keyUsages: ['cRLSign'] }),
    'MayNotSignCertificates',
  ),
  refused(
    'a root that may not sign revocation lists',
    root({ keyUsages: ['keyCertSign'] }),
    'MayNotSignRevocationLists',
  ),
  refused(
    'an intermediate below a root with path length 0',
    below({}, givenCa({ name: 'Root', basicConstraints: { pathLength: 0 } })),
    'PathLengthTooShort',
  ),
  refused('a root on P-521', root({ key: 'p-521' }), 'UnsupportedAlgorithm'),
  refused('a root with an Ed25519 key', root({ key: 'ed25519' }), 'UnsupportedAlgorithm'),
  refused('an RSA root of 1024 bits', root({ key: { rsaBits: 1024 } }), 'UnsupportedAlgorithm'),
  refused('an intermediate that is signed with SHA-1', below({ hash: 'sha1' }), 'WeakSignature'),
  refused(
    'basicConstraints that are not critical',
    root({ basicConstraints: { isPlain: true } }),
    'ProfileViolation',
  ),
  refused('no key identifiers', root({ hasKeyIdentifiers: false }), 'ProfileViolation'),
  refused('no subject', root({ name: '' }), 'ProfileViolation'),
  refused(
    'an intermediate for servers alone',
    below({ extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'] }),
    'UsageRestricted',
  ),
  refused(
    'an intermediate for any extended usage, which OpenSSL does not take for TLS',
    below({ extendedKeyUsages: ['2.5.29.37.0'] }),
    'UsageRestricted',
  ),
  refused('URIs of another host alone', constrained({ permitted: [[6, 'example.org']] }), 'NamesForbidden'),
  refused(
    'URIs of hosts below the trust domain alone',
    constrained({ permitted: [[6, '.cluster.local']] }),
    'NamesForbidden',
  ),
  refused(
    'URIs of the trust domain excluded',
    constrained({ excluded: [[6, 'cluster.local']] }),
    'NamesForbidden',
  ),
  refused('DNS names of a company alone', constrained({ permitted: [[2, 'example.org']] }), 'NamesForbidden'),
  refused(
    'DNS names below svc, but not with the domain of the cluster',
    constrained({ permitted: [[2, 'svc']] }),
    'NamesForbidden',
  ),
  refused(
    'DNS names of one namespace excluded',
    constrained({ excluded: [[2, 'payroll.svc']] }),
    'NamesForbidden',
  ),
  refused(
    'directory names of a company alone',
    constrained({ permitted: [[4, der(TAG.sequence)]] }),
    'NamesForbidden',
  ),
  refused(
    'name constraints with a minimum',
    constrained({ permitted: [[2, '']], minimum: 1 }),
    'NamesForbidden',
  ),
  refused(
    'the SPIFFE ID of another trust domain',
    root({ uri: 'spiffe://example.org' }),
    'ForeignTrustDomain',
  ),
  refused(
    'the SPIFFE ID of an agent',
    root({ uri: 'spiffe://cluster.local/ns/a/sa/b' }),
    'ForeignTrustDomain',
  ),
  {
    ...refused(
      'another certificate with a key that is in use',
      root({ keyOf: ROOT, name: 'Renewed' }),
      'KeyInUse',
    ),
    generations: [generationOf(ROOT)],
  },
  {
    ...refused(
      'another certificate with the key of one that was revoked',
      root({ keyOf: ROOT, name: 'Renewed' }),
      'KeyRevoked',
    ),
    refused: withRefused(new Map(), generationOf(ROOT)),
  },
  refused(
    'a root that is not valid yet',
    root({ life: { notBeforeMs: GIVEN_NOW_MS + DAY_MS, notAfterMs: GIVEN_NOW_MS + 90 * DAY_MS } }),
    'NotYetValid',
  ),
  refused('a root that has ended', root(until(-0.5)), 'Expired'),
  refused(
    'an intermediate whose root has ended',
    below({}, givenCa({ name: 'Root', ...until(-0.5) })),
    'Expired',
  ),
  refused('a root that ends in 167 h', root(until(167 / 24)), 'LifeTooShort'),
];

function taken(name: string, made: () => Secret): GivenRow {
  return { name, secret: made, reason: undefined };
}

function refused(name: string, made: () => Secret, reason: GivenReason): GivenRow {
  return { name, secret: made, reason };
}

function constrained(nameConstraints: NonNullable<GivenCaOptions['nameConstraints']>): () => Secret {
  return below({ nameConstraints });
}

function issuerOf(issuer: GivenCa | undefined): GivenCaOptions {
  return issuer === undefined ? {} : { issuer };
}
