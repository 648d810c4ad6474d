import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { READY_REASONS, type ReadyReason } from '../../../../src/api/conditions.ts';
import { type IdentityReport, identityStatus } from '../../../../src/controllers/identity/status.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const EARLIER = '2025-12-31T00:00:00Z';

const identity: AgentIdentity = {
  metadata: {
    name: 'agent-deployer',
    namespace: 'ai-agents',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: EARLIER,
  },
  spec: {},
};

const issued: IdentityReport = {
  reason: 'Issued',
  message: 'All is well.',
  spiffeId: 'spiffe://cluster.local/ns/ai-agents/sa/agent-deployer',
  secretName: 'agent-deployer-tls',
  quarantine: 'no',
  progress: 'done',
  certificate: {
    serialHex: '91aa04',
    notBeforeMs: NOW - 120_000,
    notAfterMs: NOW + 86_400_000,
    renewalTimeMs: NOW + 57_600_999,
    authorityId: 'aaaaaaaaaaaaaaaa',
  },
  failure: undefined,
  mesh: 'none',
  files: 'none',
  signing: {
    kind: 'ready',
    message: 'Keys are there.',
    keys: [
      { kid: 'kid-1', state: 'Active', sinceMs: NOW },
      { kid: 'kid-2', state: 'Next', sinceMs: NOW + 999 },
    ],
  },
};

/** `type status reason` of each condition. */
function conditionsOf(report: Partial<IdentityReport>): readonly string[] {
  const { conditions = [] } = identityStatus(identity, { ...issued, ...report }, NOW);
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

describe('identityStatus', () => {
  it('says everything of an identity that has its certificate', () => {
    const common = { observedGeneration: 3, lastTransitionTime: '2026-01-01T12:00:00Z' };
    const ready = { status: 'True', reason: 'Issued', message: 'All is well.', ...common };
    expect(identityStatus(identity, issued, NOW)).to.deep.equal({
      observedGeneration: 3,
      spiffeID: 'spiffe://cluster.local/ns/ai-agents/sa/agent-deployer',
      certificate: {
        secretName: 'agent-deployer-tls',
        serialNumber: '91aa04',
        notBefore: '2026-01-01T11:58:00Z',
        notAfter: '2026-01-02T12:00:00Z',
        renewalTime: '2026-01-02T04:00:00Z',
        authority: 'aaaaaaaaaaaaaaaa',
      },
      signingKeys: [
        { kid: 'kid-1', state: 'Active', since: '2026-01-01T12:00:00Z' },
        { kid: 'kid-2', state: 'Next', since: '2026-01-01T12:00:00Z' },
      ],
      conditions: [
        { type: 'Ready', ...ready },
        { type: 'CertificateReady', ...ready },
        { type: 'SigningKeyReady', ...ready, message: 'Keys are there.' },
        {
          type: 'Quarantined',
          status: 'False',
          reason: 'NotQuarantined',
          message: 'The agent is not cut off.',
          ...common,
        },
      ],
    });
  });

  it('says what a revocation rests on where an issuer signed', () => {
    const certificate = issued.certificate && { ...issued.certificate, revocation: 'identity-only' as const };
    const { certificate: said } = identityStatus(identity, { ...issued, certificate }, NOW);
    expect(said).to.include({ authority: 'aaaaaaaaaaaaaaaa', revocation: 'identity-only' });
  });

  it('leaves out what is not known', () => {
    const status = identityStatus(identity, { ...issued, spiffeId: undefined, certificate: undefined }, NOW);
    expect(status).to.not.have.property('spiffeID');
    expect(status.certificate).to.deep.equal({ secretName: 'agent-deployer-tls' });
  });

  it('says how often it failed', () => {
    const failure = { attempts: 4, lastFailureMs: NOW + 999 };
    const report = { ...issued, certificate: undefined, failure };
    expect(identityStatus(identity, report, NOW).certificate).to.deep.equal({
      secretName: 'agent-deployer-tls',
      failedAttempts: 4,
      lastFailureTime: '2026-01-01T12:00:00Z',
    });
  });

  it('says whether the operator goes on by itself, or an edit is needed', () => {
    const reason = 'InvalidSpec';
    expect([
      conditionsOf({ reason, progress: 'trying' })[4],
      conditionsOf({ reason, progress: 'stalled' })[4],
    ]).to.deep.equal(['Reconciling True InvalidSpec', 'Stalled True InvalidSpec']);
    expect(conditionsOf({ reason, progress: 'done' }).length).to.equal(4);
  });

  it('says whether the agent is cut off', () => {
    const quarantined = (['yes', 'no', 'unknown'] as const).map(
      (quarantine) => conditionsOf({ reason: 'Quarantined', quarantine })[3],
    );
    expect(quarantined.map((text) => text?.split(' ').slice(0, 2))).to.deep.equal([
      ['Quarantined', 'True'],
      ['Quarantined', 'False'],
      ['Quarantined', 'Unknown'],
    ]);
  });

  for (const [reason, { ready }] of Object.entries(READY_REASONS)) {
    it(`takes ${reason} as Ready=${ready}`, () => {
      const [first, second] = conditionsOf({ reason: reason as ReadyReason });
      expect([first, second]).to.deep.equal([
        `Ready ${ready} ${reason}`,
        `CertificateReady ${ready} ${reason}`,
      ]);
    });
  }

  it('keeps the time of a condition whose status stays, whatever its reason', () => {
    const stored = identityStatus(identity, issued, Date.parse(EARLIER));
    const later = identityStatus({ ...identity, status: stored }, { ...issued, message: 'Still.' }, NOW);
    expect(later.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).to.deep.equal([
      ...[EARLIER, EARLIER, EARLIER, EARLIER],
    ]);
  });

  it('notes the time when the status of a condition changes', () => {
    const stored = identityStatus(identity, issued, Date.parse(EARLIER));
    const report: IdentityReport = { ...issued, reason: 'IssueFailed' };
    const later = identityStatus({ ...identity, status: stored }, report, NOW);
    expect(later.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).to.deep.equal([
      '2026-01-01T12:00:00Z',
      '2026-01-01T12:00:00Z',
      EARLIER,
      EARLIER,
    ]);
  });

  it('says the same of the same', () => {
    const stored = identityStatus(identity, issued, Date.parse(EARLIER));
    expect(identityStatus({ ...identity, status: stored }, issued, NOW)).to.deep.equal(stored);
  });

  it('says what is seen of the wall of the agent, and whether it refuses', () => {
    const coverage = { reason: 'Degraded', message: 'UnlabelledPods: ...' } as const;
    const conditions = [true, false].map((isDryRun) =>
      conditionsOf({ mesh: { problem: undefined, coverage, isDryRun } }),
    );
    expect(conditions).to.deep.equal(
      ['Enforced False DryRun', 'Enforced True Enforce'].map((enforced) => [
        'Ready True Issued',
        'CertificateReady True Issued',
        'SigningKeyReady True Issued',
        'Quarantined False NotQuarantined',
        'MeshReady False Degraded',
        enforced,
      ]),
    );
  });

  it('is not ready while the wall is not as it should be, although the certificate is there', () => {
    const problem = { reason: 'MeshFailed', message: 'Refused.' } as const;
    const coverage = { reason: 'Degraded', message: 'Refused.' } as const;
    expect(conditionsOf({ mesh: { problem, coverage, isDryRun: false } })).to.deep.equal([
      'Ready False MeshFailed',
      'CertificateReady True Issued',
      'SigningKeyReady True Issued',
      'Quarantined False NotQuarantined',
      'MeshReady False Degraded',
      'Enforced True Enforce',
      'Reconciling True MeshFailed',
    ]);
  });

  it('says first what keeps the certificate away', () => {
    const mesh = {
      problem: { reason: 'MeshFailed', message: 'Refused.' },
      coverage: { reason: 'Degraded', message: 'Refused.' },
      isDryRun: false,
    } as const;
    expect(conditionsOf({ reason: 'Quarantined', mesh })[0]).to.equal('Ready False Quarantined');
  });

  it('says whether pods have their files, whatever Ready is, and leaves it while nothing new is known', () => {
    const files = { reason: 'NotMounted', message: 'One has not.' } as const;
    expect(conditionsOf({ files })).to.deep.equal([
      'Ready True Issued',
      'CertificateReady True Issued',
      'SigningKeyReady True Issued',
      'Quarantined False NotQuarantined',
      'FilesMounted False NotMounted',
    ]);
    expect(conditionsOf({ files: { reason: 'Mounted', message: '' } })[4]).to.equal(
      'FilesMounted True Mounted',
    );
    expect(conditionsOf({ files: 'as-before' }).length).to.equal(4);
    const stored = identityStatus(identity, { ...issued, files }, NOW);
    const seen = { ...identity, status: stored };
    expect(identityStatus(seen, { ...issued, files: 'as-before' }, NOW)).to.deep.equal(stored);
    expect(identityStatus(seen, { ...issued, files: 'none' }, NOW).conditions?.length).to.equal(4);
  });

  it('is not ready before the first word about the wall', () => {
    expect(conditionsOf({ mesh: 'as-before' })).to.deep.equal([
      'Ready False MeshPending',
      'CertificateReady True Issued',
      'SigningKeyReady True Issued',
      'Quarantined False NotQuarantined',
      'Reconciling True MeshPending',
    ]);
  });

  it('leaves what it said of the wall while nothing new is known', () => {
    const mesh = {
      problem: { reason: 'MeshFailed', message: 'Refused.' },
      coverage: { reason: 'Degraded', message: 'Refused.' },
      isDryRun: false,
    } as const;
    const stored = identityStatus(identity, { ...issued, mesh }, NOW);
    const later = identityStatus({ ...identity, status: stored }, { ...issued, mesh: 'as-before' }, NOW);
    expect(later).to.deep.equal(stored);
  });

  it('is not ready without its signing keys, although the certificate is there', () => {
    const signing = { kind: 'problem', reason: 'SecretConflict', message: 'Taken.', keys: [] } as const;
    expect(conditionsOf({ signing })).to.deep.equal([
      'Ready False SecretConflict',
      'CertificateReady True Issued',
      'SigningKeyReady False SecretConflict',
      'Quarantined False NotQuarantined',
      'Reconciling True SecretConflict',
    ]);
  });

  it('says of signing keys that they are good, although the certificate is not', () => {
    expect(conditionsOf({ reason: 'AuthorityUnavailable', progress: 'trying' })).to.deep.equal([
      'Ready False AuthorityUnavailable',
      'CertificateReady False AuthorityUnavailable',
      'SigningKeyReady True Issued',
      'Quarantined False NotQuarantined',
      'Reconciling True AuthorityUnavailable',
    ]);
  });

  it('says of signing keys why the identity is not served, and names those that are left', () => {
    const report = { ...issued, reason: 'Quarantined', quarantine: 'yes' } as const;
    const wiped = identityStatus(identity, { ...report, signing: { kind: 'none', keys: [] } }, NOW);
    expect(wiped).to.not.have.property('signingKeys');
    expect(wiped.conditions?.[2]).to.include({ type: 'SigningKeyReady', reason: 'Quarantined' });
    const keys = [{ kid: 'kid-1', state: 'Active', sinceMs: NOW }] as const;
    const left = identityStatus(identity, { ...report, signing: { kind: 'none', keys } }, NOW);
    expect(left.signingKeys?.map(({ kid }) => kid)).to.deep.equal(['kid-1']);
  });

  it('leaves what it said of signing keys while nothing new is known', () => {
    const asBefore = { ...issued, signing: { kind: 'as-before' } } as const;
    expect(identityStatus(identity, asBefore, NOW).conditions?.[0]).to.include({
      type: 'Ready',
      reason: 'IssueFailed',
    });
    const stored = identityStatus(identity, issued, NOW);
    expect(identityStatus({ ...identity, status: stored }, asBefore, NOW)).to.deep.equal(stored);
  });
});
