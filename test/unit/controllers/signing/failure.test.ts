import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { Attempts } from '../../../../src/controllers/identity/attempts.ts';
import { explainSigningFailure } from '../../../../src/controllers/signing/failure.ts';
import type { SigningOutcome } from '../../../../src/controllers/signing/outcome.ts';
import { SigningEvents } from '../../../../src/controllers/signing/signing-events.ts';
import { KubeError, type KubeErrorCode } from '../../../../src/kube/errors.ts';

const NOW = Date.UTC(2026, 0, 1);
const identity: AgentIdentity = {
  metadata: {
    name: 'agent-deployer',
    namespace: 'ai-agents',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {},
};

/** Explains failures one after the other, and keeps what was told. */
function explainer(): {
  readonly told: string[];
  explain(error: unknown, wasContested?: boolean): SigningOutcome;
} {
  const told: string[] = [];
  const sink = {
    record: (event: { reason: string; type: string }) => told.push(`${event.type} ${event.reason}`),
  };
  const observer = { made: () => {}, repaired: () => {} };
  const parts = { attempts: new Attempts(() => 0.5), events: new SigningEvents(sink, observer) };
  const at = { identity, target: { name: 'agent-deployer-signing' }, keys: [], nowMs: NOW };
  return {
    told,
    explain: (error, wasContested = false) => explainSigningFailure(parts, { ...at, wasContested }, error),
  };
}

function failure(code: KubeErrorCode): KubeError {
  return new KubeError(code, 'create secrets ai-agents/agent-deployer-signing: no');
}

describe('explainSigningFailure', () => {
  it('says nothing of what passes by itself', () => {
    for (const code of [
      'KUBE_CONFLICT',
      'KUBE_ABORTED',
      'KUBE_LEASE_NOT_HELD',
      'KUBE_ALREADY_EXISTS',
    ] as const) {
      const { told, explain } = explainer();
      const error = failure(code);
      expect(explain(error)).to.deep.equal({ kind: 'again', error, message: undefined });
      expect(told).to.deep.equal([]);
    }
  });

  it('says what the API server refuses, tells it, and tries again more and more slowly', () => {
    const { told, explain } = explainer();
    const outcomes = [1, 2, 3].map(() => explain(failure('KUBE_FORBIDDEN')));
    expect(outcomes.map((outcome) => 'recheckAtMs' in outcome && outcome.recheckAtMs - NOW)).to.deep.equal([
      5_000, 10_000, 20_000,
    ]);
    expect(outcomes[0]).to.deep.equal({
      kind: 'failed',
      reason: 'IssueFailed',
      message:
        'Secret agent-deployer-signing with the signing keys could not be written: create secrets ai-agents/agent-deployer-signing: no. It is tried again by itself; a quota, an admission policy or a missing role may be what refuses it.',
      keys: [],
      recheckAtMs: NOW + 5_000,
    });
    expect(told).to.deep.equal(['Warning IssueFailed', 'Warning IssueFailed', 'Warning IssueFailed']);
  });

  it('says that there is no answer once that lasts', () => {
    const { explain } = explainer();
    const said = Array.from({ length: 6 }, () => explain(failure('KUBE_UNAVAILABLE')));
    expect(said.map((outcome) => outcome.kind === 'again' && outcome.message !== undefined)).to.deep.equal([
      ...[false, false, false, false, false],
      true,
    ]);
  });

  it('passes on what is no answer of the API server', () => {
    const { explain } = explainer();
    expect(() => explain(new TypeError('ours'))).to.throw(TypeError, 'ours');
  });
});
