import { expect } from 'chai';
import type { CapabilityBoundary } from '../../../../src/api/capability-boundary.ts';
import {
  type BoundarySituation,
  boundaryStatus,
} from '../../../../src/controllers/delegation/boundary-status.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

const boundary: CapabilityBoundary = {
  metadata: {
    name: 'staging',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 2,
    creationTimestamp: '2025-12-31T00:00:00Z',
  },
  spec: { namespaceSelector: {} },
};

const fine: BoundarySituation = { namespaces: 4, invalidFields: [], missing: [] };

function conditionsOf(situation: Partial<BoundarySituation>): readonly string[] {
  const { conditions = [] } = boundaryStatus(boundary, { ...fine, ...situation }, NOW);
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

describe('boundaryStatus', () => {
  it('says how many namespaces it binds', () => {
    expect(boundaryStatus(boundary, fine, NOW)).to.deep.equal({
      observedGeneration: 2,
      namespaces: 4,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Accepted',
          message: 'It binds the agents of 4 namespaces.',
          observedGeneration: 2,
          lastTransitionTime: '2026-01-01T12:00:00Z',
        },
      ],
    });
  });

  it('is stalled with a value that is refused', () => {
    expect(conditionsOf({ invalidFields: ['spec.maxDepth must be 1 to 8'] })).to.deep.equal([
      'Ready False InvalidSpec',
      'Stalled True InvalidSpec',
    ]);
  });

  it('is on its way while a kind is not listed', () => {
    expect(conditionsOf({ missing: ['namespaces'] })).to.deep.equal([
      'Ready False GraphIncomplete',
      'Reconciling True GraphIncomplete',
    ]);
  });
});
