import { expect } from 'chai';
import type { DelegationPolicy } from '../../../../src/api/delegation-policy.ts';
import { tellPolicyChange } from '../../../../src/controllers/delegation/policy-events.ts';
import { policyStatus } from '../../../../src/controllers/delegation/policy-status.ts';
import type { PolicyProblem } from '../../../../src/domain/delegation/policy-report.ts';
import type { PolicyAcceptance } from '../../../../src/domain/delegation/resolve-acceptance.ts';

type Status = NonNullable<DelegationPolicy['status']>;

const NOW = Date.UTC(2026, 0, 1, 12);

function policyWith(status?: Status): DelegationPolicy {
  const metadata = {
    name: 'planning',
    namespace: 'ai-agents',
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2025-12-31T00:00:00Z',
  };
  return { metadata, spec: {}, ...(status === undefined ? {} : { status }) };
}

function problem(rule: number, message = `rule ${rule} grants less`): PolicyProblem {
  return { rule, reason: 'NotFound', message };
}

function statusWith(problems: readonly PolicyProblem[]): Status {
  const report = { edgeCount: 1, emptyEdges: 0, longestChain: 1, problems };
  return policyStatus(policyWith(), { acceptance: { kind: 'accepted' }, missing: [], report }, NOW);
}

function refusedStatus(reason: Extract<PolicyAcceptance, { kind: 'refused' }>['reason']): Status {
  const acceptance = { kind: 'refused', reason, message: 'Mend it.' } as const;
  return policyStatus(policyWith(), { acceptance, missing: [], report: undefined }, NOW);
}

/** `reason: note` of each event. */
function told(before: Status | undefined, after: Status): readonly string[] {
  const events: string[] = [];
  const sink = {
    record: ({ reason, note }: { readonly reason: string; readonly note: string }) =>
      void events.push(`${reason}: ${note}`),
  };
  tellPolicyChange(sink, policyWith(before), after);
  return events;
}

describe('tellPolicyChange', () => {
  it('tells of all problems of a policy that was never looked at, in one event', () => {
    expect(told(undefined, statusWith([problem(0), problem(1)]))).to.deep.equal([
      'CapabilityWithheld: rule 0 grants less; rule 1 grants less.',
    ]);
  });

  it('tells only of what is new', () => {
    expect(told(statusWith([problem(0)]), statusWith([problem(0), problem(1)]))).to.deep.equal([
      'CapabilityWithheld: rule 1 grants less.',
    ]);
  });

  it('does not tell again what is only worded anew', () => {
    expect(told(statusWith([problem(0)]), statusWith([problem(0, 'other words')]))).to.deep.equal([]);
  });

  it('does not tell of a problem that is gone', () => {
    expect(told(statusWith([problem(0), problem(1)]), statusWith([problem(1)]))).to.deep.equal([]);
  });

  it('tells once why a policy does not count', () => {
    const invalid = refusedStatus('InvalidSpec');
    expect([told(statusWith([]), invalid), told(invalid, invalid)]).to.deep.equal([
      ['Refused: InvalidSpec: Mend it.'],
      [],
    ]);
  });
});
