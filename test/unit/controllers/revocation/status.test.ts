import { expect } from 'chai';
import type { TokenRevocation } from '../../../../src/api/token-revocation.ts';
import type { JudgedRevocation } from '../../../../src/controllers/revocation/revocation-book.ts';
import { revocationStatus } from '../../../../src/controllers/revocation/status.ts';

const CREATED = 1_795_168_800;
const REVOCATION: TokenRevocation = {
  metadata: {
    name: 'stolen',
    namespace: 'ai-agents',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-11-20T10:00:00Z',
  },
  spec: {},
};
const ENTRY: JudgedRevocation = {
  kind: 'entry',
  entry: { tokenID: 'j', until: CREATED + 3930 },
  issuedBefore: CREATED,
};

interface Said {
  readonly conditions: readonly string[];
  readonly issuedBefore: string | undefined;
  readonly expiresAt: string | undefined;
}

function said(judged: JudgedRevocation, missing: readonly string[] = [], afterSeconds = 0): Said {
  const nowMs = (CREATED + afterSeconds) * 1000;
  const {
    conditions = [],
    issuedBefore,
    expiresAt,
  } = revocationStatus(REVOCATION, { judged, missing, nowMs });
  return {
    conditions: conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`),
    issuedBefore,
    expiresAt,
  };
}

const TIMES = { issuedBefore: '2026-11-20T10:00:00Z', expiresAt: '2026-11-20T11:05:30Z' };

describe('revocationStatus', () => {
  it('is Ready when all bundles have it', () => {
    expect(said(ENTRY)).to.deep.equal({
      conditions: ['Ready=True/Published', 'Expired=False/NotExpired'],
      ...TIMES,
    });
  });

  it('names the namespaces that lack it', () => {
    expect(said(ENTRY, ['ai-data'])).to.deep.equal({
      conditions: ['Ready=False/Publishing', 'Expired=False/NotExpired', 'Reconciling=True/Publishing'],
      ...TIMES,
    });
    const { conditions } = revocationStatus(REVOCATION, {
      judged: ENTRY,
      missing: ['ai-data'],
      nowMs: CREATED * 1000,
    });
    expect(conditions?.[0]?.message).to.equal('Not yet in the bundle of ai-data.');
  });

  it('is over when the last token is dead, whether it was published or not', () => {
    expect(said(ENTRY, ['ai-data'], 3930)).to.deep.equal({
      conditions: ['Ready=True/Expired', 'Expired=True/Expired'],
      ...TIMES,
    });
    expect(said(ENTRY, [], 3929).conditions).to.include('Expired=False/NotExpired');
  });

  it('says what only another object mends', () => {
    const times = { issuedBefore: undefined, expiresAt: undefined };
    expect(said({ kind: 'invalid', invalidFields: ['spec.subject.name must be so'] })).to.deep.equal({
      conditions: ['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec'],
      ...times,
    });
    expect(said({ kind: 'not-governed' })).to.deep.equal({
      conditions: ['Ready=False/NamespaceNotGoverned', 'Stalled=True/NamespaceNotGoverned'],
      ...times,
    });
  });
});
