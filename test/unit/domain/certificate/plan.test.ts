import { expect } from 'chai';
import fc from 'fast-check';
import type { SecretFacts } from '../../../../src/domain/certificate/facts.ts';
import {
  type CertificatePlan,
  type CertificateWish,
  type IssueReason,
  planCertificate,
  type Replacement,
} from '../../../../src/domain/certificate/plan.ts';
import { leafValidity } from '../../../../src/domain/certificate/profile.ts';
import {
  authority,
  DAY,
  HOUR,
  ISSUED_AT,
  leaf,
  MINUTE,
  nextAuthority,
  secret,
  secretWithContent,
  secretWithLeaf,
  wish,
} from './fixture.ts';

interface Case {
  readonly wish?: Partial<CertificateWish>;
  readonly secret?: SecretFacts | undefined;
  readonly nowMs?: number;
  readonly expect: CertificatePlan;
}

const NOW = ISSUED_AT + HOUR;
// notAfter - 8 h - J, where J follows from uid-1 and 91aa04.
const RENEWAL = Date.UTC(2026, 0, 1, 15, 15, 12);
const retiring = { ...authority, retiring: { sinceMs: NOW, tainted: false } };
const tainted = { ...authority, retiring: { sinceMs: NOW, tainted: true } };
const afterActivation = { signingAuthority: nextAuthority, trustedAuthorities: [nextAuthority, retiring] };
// A third of 24 h is renewBefore, half of it the spread, of which uid-1 and 91aa04 draw the same part as for J.
const REPLACEMENT = NOW + 6_705_318;
const noBundle = { what: 'TrustBundle', message: 'ca.crt was not the trust bundle' } as const;

function issue(reason: IssueReason, message: string, replace: Replacement = 'update'): CertificatePlan {
  return { kind: 'issue', reason, message, replace };
}

const cases: Record<string, Case> = {
  'keeps a good leaf until its renewal': { expect: { kind: 'keep', recheckAtMs: RENEWAL } },
  'keeps it one millisecond before its renewal': {
    nowMs: RENEWAL - 1,
    expect: { kind: 'keep', recheckAtMs: RENEWAL },
  },
  'issues when there is no Secret': {
    secret: undefined,
    expect: issue('SecretMissing', 'the Secret did not exist', 'create'),
  },
  'issues when the certificate is missing': {
    secret: secretWithContent({
      certificate: { kind: 'problem', problem: 'was missing' },
      keyMatches: false,
    }),
    expect: issue('DataMissing', 'tls.crt was missing'),
  },
  'issues when the key is not readable': {
    secret: secretWithContent({
      privateKey: { kind: 'problem', problem: 'was not a private key' },
      keyMatches: false,
    }),
    expect: issue('DataMissing', 'tls.key was not a private key'),
  },
  'issues when key and certificate are no pair': {
    secret: secretWithContent({ keyMatches: false }),
    expect: issue('KeyMismatch', 'tls.key did not belong to tls.crt'),
  },
  'issues when nobody trusted signed the leaf': {
    secret: secretWithLeaf({ authorityId: undefined }),
    expect: issue('UntrustedAuthority', 'tls.crt was not signed by a trusted authority'),
  },
  'issues when the authority of the leaf is trusted no more': {
    secret: secretWithLeaf({ authorityId: 'cccccccccccccccc' }),
    expect: issue('UntrustedAuthority', 'tls.crt was not signed by a trusted authority'),
  },
  'issues when the ledger does not know the leaf': {
    wish: { rejectedLeaf: { serialHex: leaf.serialHex, because: 'unknown' } },
    expect: issue('UnknownLeaf', 'tls.crt has serial number 91aa04, which the issuance ledger does not know'),
  },
  'issues when the leaf is revoked': {
    wish: { rejectedLeaf: { serialHex: leaf.serialHex, because: 'revoked' } },
    expect: issue('Revoked', 'tls.crt has serial number 91aa04, which is revoked'),
  },
  'keeps a leaf when another one is rejected': {
    wish: { rejectedLeaf: { serialHex: '91aa05', because: 'unknown' } },
    expect: { kind: 'keep', recheckAtMs: RENEWAL },
  },
  'issues when names differ from the spec': {
    secret: secretWithLeaf({ dnsNames: [] }),
    expect: issue('SpecChanged', 'tls.crt differed from the spec: DNS names'),
  },
  'issues when the spec wants a longer life': {
    wish: { profile: { ...wish.profile, durationMs: 2 * DAY } },
    expect: issue('SpecChanged', 'tls.crt differed from the spec: life'),
  },
  'issues when leaves of its date are refused': {
    wish: { refuseLeafsBeforeMs: leaf.notBeforeMs + 1000 },
    expect: issue(
      'RefusedByDate',
      'tls.crt was older than 2025-12-31T23:58:01.000Z, and such leaves are refused',
    ),
  },
  'keeps a leaf that begins exactly when leaves are accepted again': {
    wish: { refuseLeafsBeforeMs: leaf.notBeforeMs },
    expect: { kind: 'keep', recheckAtMs: RENEWAL },
  },
  'issues at once when the authority is tainted': {
    wish: { signingAuthority: nextAuthority, trustedAuthorities: [nextAuthority, tainted] },
    expect: issue('AuthorityRetired', 'tls.crt was signed by authority aaaaaaaaaaaaaaaa, which is tainted'),
  },
  'keeps the leaf of a retired authority until its turn': {
    wish: afterActivation,
    expect: { kind: 'keep', recheckAtMs: REPLACEMENT },
  },
  'issues when its turn has come': {
    wish: afterActivation,
    nowMs: REPLACEMENT,
    expect: issue('AuthorityRetired', 'tls.crt was signed by authority aaaaaaaaaaaaaaaa, which is retired'),
  },
  'keeps the leaf of a tainted authority while no other signs': {
    wish: { signingAuthority: tainted, trustedAuthorities: [tainted] },
    expect: { kind: 'keep', recheckAtMs: RENEWAL },
  },
  'renews at its time': {
    nowMs: RENEWAL,
    expect: issue('RenewalDue', 'tls.crt reached its renewal time'),
  },
  'renews an expired leaf': {
    nowMs: leaf.notAfterMs + 1,
    expect: issue('RenewalDue', 'tls.crt had expired'),
  },
  'renews a leaf that is older than a person wants': {
    wish: { renewLeafsBeforeMs: NOW },
    expect: issue('RenewalDue', 'a renewal of tls.crt was asked for'),
  },
  'keeps a leaf that was issued after the renewal that was asked for': {
    wish: { renewLeafsBeforeMs: ISSUED_AT + 900 },
    expect: { kind: 'keep', recheckAtMs: RENEWAL },
  },
  'waits for a renewal that is asked for in the future': {
    wish: { renewLeafsBeforeMs: NOW + HOUR },
    expect: { kind: 'keep', recheckAtMs: NOW + HOUR },
  },
  'waits a minute between two renewals': {
    wish: { lastIssuedAtMs: RENEWAL },
    nowMs: RENEWAL + 1000,
    expect: { kind: 'keep', recheckAtMs: RENEWAL + MINUTE },
  },
  'waits a minute between two renewals that are asked for': {
    wish: { renewLeafsBeforeMs: NOW, lastIssuedAtMs: NOW - MINUTE / 2 },
    expect: { kind: 'keep', recheckAtMs: NOW + MINUTE / 2 },
  },
  'does not renew when the authority would cut the next leaf to the same end': {
    wish: {
      trustedAuthorities: [{ ...authority, notAfterMs: leaf.notAfterMs }],
      signingAuthority: { ...authority, notAfterMs: leaf.notAfterMs },
    },
    nowMs: RENEWAL + HOUR,
    expect: { kind: 'keep', recheckAtMs: RENEWAL + HOUR + 30_000 },
  },
  'repairs ca.crt without a new leaf': {
    secret: secretWithContent({ trustBundleSha256: 'bad' }),
    expect: { kind: 'repair', findings: [noBundle], replace: 'update' },
  },
  'keeps the leaf of a Secret of the wrong type': {
    secret: { ...secret, type: 'Opaque' },
    expect: {
      kind: 'repair',
      findings: [{ what: 'SecretType', message: 'the Secret was not of type kubernetes.io/tls' }],
      replace: 'recreate',
    },
  },
  'keeps the leaf of an immutable Secret': {
    secret: { ...secret, immutable: true },
    expect: {
      kind: 'repair',
      findings: [{ what: 'Immutable', message: 'the Secret was immutable' }],
      replace: 'recreate',
    },
  },
  'makes an immutable Secret anew when its leaf is bad too': {
    secret: { ...secretWithContent({ keyMatches: false }), immutable: true },
    expect: issue('KeyMismatch', 'tls.key did not belong to tls.crt', 'recreate'),
  },
  'refuses a Secret of somebody else': {
    secret: { ...secretWithLeaf({ authorityId: undefined }), ownerUid: 'uid-2', ownerReferences: [] },
    expect: {
      kind: 'refuse',
      reason: 'SecretConflict',
      message:
        'Secret ai-agents/agent-deployer-tls exists and belongs to another AgentIdentity. Set spec.certificate.secretName to another name, or delete what owns it',
    },
  },
  'refuses to sign with an authority that ends': {
    wish: { signingAuthority: { ...authority, notAfterMs: NOW + MINUTE } },
    secret: undefined,
    expect: {
      kind: 'refuse',
      reason: 'AuthorityExpiring',
      message: 'the authority ends at 2026-01-01T01:01:00.000Z, too soon to sign',
    },
  },
  'refuses to sign with an authority that has not begun': {
    wish: { signingAuthority: { ...authority, notBeforeMs: NOW + HOUR } },
    secret: undefined,
    expect: {
      kind: 'refuse',
      reason: 'NotYetValid',
      message: 'no leaf may begin before 2026-01-01T02:00:00.000Z, which is still to come',
    },
  },
};

/** From the last reason to the first: each case has everything wrong that the cases before it had. */
const worse: readonly (readonly [IssueReason, Partial<CertificateWish>, SecretFacts | undefined])[] = [
  ['RenewalDue', {}, secret],
  [
    'AuthorityRetired',
    { signingAuthority: nextAuthority, trustedAuthorities: [nextAuthority, tainted] },
    secret,
  ],
  ['RefusedByDate', { refuseLeafsBeforeMs: NOW }, secret],
  ['SpecChanged', {}, secretWithLeaf({ isAuthority: true })],
  [
    'UnknownLeaf',
    { rejectedLeaf: { serialHex: leaf.serialHex, because: 'unknown' } },
    secretWithLeaf({ isAuthority: true }),
  ],
  ['UntrustedAuthority', {}, secretWithLeaf({ isAuthority: true, authorityId: undefined })],
  [
    'KeyMismatch',
    {},
    secretWithContent({ certificate: { ...leaf, authorityId: undefined }, keyMatches: false }),
  ],
  [
    'DataMissing',
    {},
    secretWithContent({ privateKey: { kind: 'problem', problem: 'was empty' }, keyMatches: false }),
  ],
  ['SecretMissing', {}, undefined],
];

describe('planCertificate', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      const observed = 'secret' in given ? given.secret : secret;
      const plan = planCertificate({ ...wish, ...given.wish }, observed, given.nowMs ?? NOW);
      expect(plan).to.deep.equal(given.expect);
    });
  }

  it('reports the first reason in the fixed order', () => {
    let wanted = wish;
    const reasons = worse.map(([, change, observed]) => {
      wanted = { ...wanted, ...change };
      const plan = planCertificate(wanted, observed, leaf.notAfterMs + HOUR);
      return plan.kind === 'issue' ? plan.reason : plan.kind;
    });
    expect(reasons).to.deep.equal(worse.map(([reason]) => reason));
  });

  it('never asks to be run again in the past', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -DAY, max: 30 * DAY }),
        fc.integer({ min: 0, max: 26 * DAY }),
        (at, endMs) => {
          const signing = { ...authority, notAfterMs: ISSUED_AT + endMs };
          const changed = { ...wish, signingAuthority: signing, trustedAuthorities: [signing] };
          const plan = planCertificate(changed, secret, ISSUED_AT + at);
          if (plan.kind === 'keep') expect(plan.recheckAtMs).to.be.greaterThan(ISSUED_AT + at);
        },
      ),
    );
  });

  it('keeps a leaf that was issued just now, whatever cut its life', () => {
    const situations = fc.record({
      nowMs: fc.integer({ min: ISSUED_AT, max: ISSUED_AT + 24 * DAY }),
      durationMs: fc.integer({ min: 600, max: 604_800 }).map((seconds) => seconds * 1000),
      renewBeforeMs: fc.option(fc.integer({ min: 2 * MINUTE, max: 7 * DAY }), { nil: undefined }),
      authorityLeftMs: fc.integer({ min: 5 * MINUTE, max: 8 * DAY }),
      floorAgoMs: fc.option(fc.integer({ min: 0, max: 5 * MINUTE }), { nil: undefined }),
    });
    fc.assert(
      fc.property(situations, ({ nowMs, durationMs, renewBeforeMs, authorityLeftMs, floorAgoMs }) => {
        const signing = { ...authority, notAfterMs: nowMs + authorityLeftMs };
        const profile = { ...wish.profile, durationMs };
        const notBeforeFloorMs = floorAgoMs === undefined ? undefined : nowMs - floorAgoMs;
        const answer = leafValidity({
          profile,
          nowMs,
          authorityNotAfterMs: signing.notAfterMs,
          notBeforeFloorMs,
        });
        if (answer.kind === 'refuse') throw new Error(answer.reason);
        const wanted = {
          ...wish,
          profile,
          renewBeforeMs,
          refuseLeafsBeforeMs: notBeforeFloorMs,
          signingAuthority: signing,
          trustedAuthorities: [signing],
        };
        const plan = planCertificate(wanted, secretWithLeaf(answer.validity), nowMs + 1_000);
        expect(plan.kind).to.equal('keep');
      }),
    );
  });
});
