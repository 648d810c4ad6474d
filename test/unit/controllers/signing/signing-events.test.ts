import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { isMendingKeys } from '../../../../src/controllers/signing/signing-events.ts';

const EARLIER = '2025-12-31T00:00:00Z';
const FIRST = { kind: 'write', reason: 'First', replace: 'create', keys: [], findings: [] } as const;

/** An agent without keys whose condition has this reason. */
function withoutKeys(reason: string): AgentIdentity {
  const condition = {
    type: 'SigningKeyReady',
    status: 'False',
    reason,
    lastTransitionTime: EARLIER,
  } as const;
  return {
    metadata: {
      name: 'agent-deployer',
      namespace: 'ai-agents',
      uid: 'uid-1',
      resourceVersion: '7',
      generation: 3,
      creationTimestamp: EARLIER,
    },
    spec: {},
    status: { conditions: [{ ...condition, message: 'Why.' }] },
  };
}

describe('isMendingKeys', () => {
  it('takes missing keys for taken away while mending pauses, and for the first ones otherwise', () => {
    expect(isMendingKeys(withoutKeys('RepairLoop'), FIRST)).to.equal(true);
    expect(isMendingKeys(withoutKeys('IssueFailed'), FIRST)).to.equal(false);
  });
});
