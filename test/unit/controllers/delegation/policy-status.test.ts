import { expect } from 'chai';
import type { DelegationPolicy } from '../../../../src/api/delegation-policy.ts';
import { type PolicySituation, policyStatus } from '../../../../src/controllers/delegation/policy-status.ts';
import type { PolicyReport } from '../../../../src/domain/delegation/policy-report.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const EARLIER = '2025-12-31T00:00:00Z';

const policy: DelegationPolicy = {
  metadata: {
    name: 'planning',
    namespace: 'ai-agents',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: EARLIER,
  },
  spec: {},
};

const report: PolicyReport = { edgeCount: 3, emptyEdges: 0, longestChain: 2, problems: [] };
const fine: PolicySituation = { acceptance: { kind: 'accepted' }, missing: [], report };

const notFound = {
  rule: 0,
  to: 'ai-agents/x',
  reason: 'NotFound',
  message: 'x is not there: create it',
} as const;
const notAccepted = {
  rule: 1,
  to: 'ai-data/y',
  reason: 'NotAccepted',
  message: 'y does not accept: add acceptFrom',
} as const;
const withheld = { rule: 2, capability: 'a', reason: 'NotInAnyCeiling', message: 'nobody holds a' } as const;

/** `type status reason` of each condition. */
function conditionsOf(situation: Partial<PolicySituation>): readonly string[] {
  const { conditions = [] } = policyStatus(policy, { ...fine, ...situation }, NOW);
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

function messageOf(situation: Partial<PolicySituation>, type: string): string | undefined {
  const { conditions = [] } = policyStatus(policy, { ...fine, ...situation }, NOW);
  return conditions.find((condition) => condition.type === type)?.message;
}

describe('policyStatus', () => {
  it('says everything of a policy that grants all it says', () => {
    const common = { observedGeneration: 3, lastTransitionTime: '2026-01-01T12:00:00Z' };
    expect(policyStatus(policy, fine, NOW)).to.deep.equal({
      observedGeneration: 3,
      edgeCount: 3,
      emptyEdges: 0,
      longestChain: 2,
      problems: [],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Accepted',
          message: 'The policy counts: it grants over 3 edges.',
          ...common,
        },
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The policy counts.', ...common },
        {
          type: 'ResolvedRefs',
          status: 'True',
          reason: 'ResolvedRefs',
          message: 'Every agent that a rule names is there and accepts.',
          ...common,
        },
      ],
    });
  });

  it('stays ready with a reference that does not resolve, and says which and the way out', () => {
    const situation = { report: { ...report, emptyEdges: 1, problems: [notFound, withheld] } };
    expect(conditionsOf(situation)).to.deep.equal([
      'Ready True Accepted',
      'Accepted True Accepted',
      'ResolvedRefs False NotFound',
    ]);
    expect(messageOf(situation, 'ResolvedRefs')).to.equal('x is not there: create it.');
    expect(messageOf(situation, 'Ready')).to.equal(
      'The policy counts: it grants over 3 edges, nothing over 1 more; see status.problems.',
    );
  });

  it('calls a consent that is missing NotAccepted, unless an agent is missing too', () => {
    const refs = (...problems: PolicyReport['problems']): string | undefined =>
      conditionsOf({ report: { ...report, problems } })[2];
    expect([refs(notAccepted), refs(notAccepted, notFound), refs(withheld)]).to.deep.equal([
      'ResolvedRefs False NotAccepted',
      'ResolvedRefs False NotFound',
      'ResolvedRefs True ResolvedRefs',
    ]);
  });

  it('keeps the first 16 problems, with messages as long as the schema takes them', () => {
    const problems = Array.from({ length: 17 }, (_, rule) => ({
      ...withheld,
      rule,
      message: 'm'.repeat(1_025),
    }));
    const { problems: kept = [] } = policyStatus(policy, { ...fine, report: { ...report, problems } }, NOW);
    expect(kept.map(({ rule, message }) => [rule, message.length])).to.deep.equal(
      Array.from({ length: 16 }, (_, rule) => [rule, 1_024]),
    );
  });

  it('says nothing of edges when the policy is not accepted', () => {
    const situation: PolicySituation = {
      acceptance: { kind: 'refused', reason: 'InvalidSpec', message: 'Mend it.' },
      missing: [],
      report: undefined,
    };
    expect(policyStatus(policy, situation, NOW)).to.not.have.any.keys('edgeCount', 'emptyEdges', 'problems');
    expect(conditionsOf(situation)).to.deep.equal([
      'Ready False InvalidSpec',
      'Accepted False InvalidSpec',
      'ResolvedRefs Unknown Pending',
      'Stalled True InvalidSpec',
    ]);
  });

  it('is neither stalled nor on its way when it is being deleted', () => {
    const acceptance = { kind: 'refused', reason: 'Deleting', message: 'It goes.' } as const;
    expect(conditionsOf({ acceptance, report: undefined })).to.deep.equal([
      'Ready False Deleting',
      'Accepted False Deleting',
      'ResolvedRefs Unknown Pending',
    ]);
  });

  it('names what the API server does not list, and waits for it', () => {
    const situation = { missing: ['namespaces'], report: undefined };
    expect(conditionsOf(situation)).to.deep.equal([
      'Ready False GraphIncomplete',
      'Accepted True Accepted',
      'ResolvedRefs Unknown Pending',
      'Reconciling True GraphIncomplete',
    ]);
    expect(messageOf(situation, 'Ready'))
      .to.contain('does not list namespaces')
      .and.to.contain('helm upgrade');
  });

  it('keeps the time of a condition whose status stays, and notes that of one that changes', () => {
    const stored = policyStatus(policy, fine, Date.parse(EARLIER));
    const situation = { ...fine, report: { ...report, problems: [notFound] } };
    const later = policyStatus({ ...policy, status: stored }, situation, NOW);
    expect(later.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).to.deep.equal([
      EARLIER,
      EARLIER,
      '2026-01-01T12:00:00Z',
    ]);
  });

  it('says the same of the same', () => {
    const stored = policyStatus(policy, fine, Date.parse(EARLIER));
    expect(policyStatus({ ...policy, status: stored }, fine, NOW)).to.deep.equal(stored);
  });
});
