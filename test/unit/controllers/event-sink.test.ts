import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { conditionReason, type OperatorEvent, recordAbout } from '../../../src/controllers/event-sink.ts';

const stamps = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z', message: '' };
const identity: AgentIdentity = {
  metadata: {
    name: 'agent-deployer',
    namespace: 'ai-agents',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {},
  status: {
    conditions: [
      { type: 'Ready', status: 'False', reason: 'MeshFailed', ...stamps },
      { type: 'MeshReady', status: 'False', reason: 'Degraded', ...stamps },
    ],
  },
};

describe('recordAbout', () => {
  it('tells it about the identity', () => {
    const told: OperatorEvent[] = [];
    const event = { type: 'Normal', reason: 'Issued', action: 'Issue', note: 'Issued it' } as const;
    recordAbout({ record: (said) => told.push(said) }, identity, event);
    const regarding = {
      apiVersion: 'agenttrust.dev/v1alpha1',
      kind: 'AgentIdentity',
      name: 'agent-deployer',
      namespace: 'ai-agents',
      uid: 'uid-1',
    };
    expect(told).to.deep.equal([{ regarding, ...event }]);
  });
});

describe('conditionReason', () => {
  it('gives the reason of the condition that is asked for', () => {
    const reasons = ['Ready', 'MeshReady'].map((condition) => conditionReason(identity, condition));
    expect(reasons).to.deep.equal(['MeshFailed', 'Degraded']);
  });

  it('gives nothing without that condition, and without a status', () => {
    const { status: _, ...unseen } = identity;
    expect([conditionReason(identity, 'FilesMounted'), conditionReason(unseen, 'Ready')]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});
