import { expect } from 'chai';
import type { Capability } from '../../../../src/domain/capability/capability.ts';
import type { AgentFacts, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import type { PolicyProblem } from '../../../../src/domain/delegation/policy-report.ts';
import { agent, graphOf, policy, rule, TOKENS } from './fixture.ts';

const READ: Capability = { name: 'read' };
const READ_REPORTS: Capability = { name: 'read', resources: ['/data/reports/*'] };

describe('policyReport', () => {
  it('has no problem with what a ceiling of one target cuts from a rule for several', () => {
    const agents = [
      agent('ai/coordinator', [READ, { name: 'write' }]),
      agent('ai/analyst', [READ]),
      agent('ai/writer', [{ name: 'write' }]),
    ];
    const rules = [rule(['ai/analyst', 'ai/writer'], [READ, { name: 'write' }])];
    expect(graphOf(agents, [policy(rules)]).policyReport('ai/swarm')).to.deep.equal({
      edgeCount: 2,
      emptyEdges: 0,
      longestChain: 1,
      problems: [],
    });
  });

  it('has no problem with a rule that says no resources over ceilings that do', () => {
    expect(problems([agent('ai/coordinator', [READ]), agent('ai/analyst', [READ_REPORTS])])).to.deep.equal(
      [],
    );
  });

  it('counts each pair once, however many rules name it, and those that get nothing apart', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ])];
    const rules = [
      rule(['ai/analyst', 'ai/ghost'], [READ]),
      rule(['ai/analyst', 'ai/ghost'], [READ_REPORTS]),
    ];
    const report = graphOf(agents, [policy(rules)]).policyReport('ai/swarm');
    expect(report).to.include({ edgeCount: 1, emptyEdges: 1, longestChain: 1 });
  });

  it('names a rule that says what another says, whatever the order of its targets and its name', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ]), agent('ai/writer', [READ])];
    const rules = [
      rule(['ai/analyst', 'ai/writer'], [READ], { name: 'first' }),
      rule(['ai/writer', 'ai/analyst'], [READ]),
      rule(['ai/writer'], [READ]),
    ];
    expect(problems(agents, rules)).to.deep.equal([
      {
        rule: 1,
        reason: 'GrantsNothing',
        message: 'rules[1]: it says the same as rule "first": take one of them out',
      },
    ]);
  });

  it('names a target that does not exist', () => {
    expect(problems([agent('ai/coordinator', [READ])])).to.deep.equal([
      {
        rule: 0,
        to: 'ai/analyst',
        reason: 'NotFound',
        message: 'rules[0]: AgentIdentity ai/analyst does not exist: create it, or correct the rule',
      },
    ]);
  });

  it('names a delegating agent that does not exist once, whatever the rule says', () => {
    const rules = [rule(['ai/analyst', 'ai/ghost'], [READ, { name: 'write' }], { name: 'reports' })];
    expect(problems([agent('ai/analyst', [READ])], rules)).to.deep.equal([
      {
        rule: 0,
        reason: 'NotFound',
        message:
          'rule "reports": AgentIdentity ai/coordinator does not exist: create it, or correct the rule',
      },
    ]);
  });

  it('names agents that are cut off once, not for each capability', () => {
    const both = [READ, { name: 'write' }];
    const rules = [rule(['ai/analyst'], both), { ...rule(['ai/writer'], both), from: 'analyst' }];
    const agents = [
      agent('ai/coordinator', both),
      agent('ai/analyst', both, { isServed: false }),
      agent('ai/writer', both),
    ];
    const message =
      'ai/analyst is cut off, being deleted or not valid, and holds nothing: see its conditions';
    expect(problems(agents, rules)).to.deep.equal([
      { rule: 0, to: 'ai/analyst', reason: 'GrantsNothing', message: `rules[0]: ${message}` },
      { rule: 1, reason: 'GrantsNothing', message: `rules[1]: ${message}` },
    ]);
  });

  it('names a target of another namespace that does not accept, and what to write there', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('data/analyst', [READ])];
    expect(problems(agents, [rule(['data/analyst'], [READ])])).to.deep.equal([
      {
        rule: 0,
        to: 'data/analyst',
        reason: 'NotAccepted',
        message:
          'rules[0]: data/analyst does not accept delegations from ai/coordinator: add {namespace: ai, agents: [coordinator]} to spec.acceptFrom of AgentIdentity data/analyst',
      },
    ]);
  });

  it('names an agent that should delegate to itself', () => {
    expect(problems([agent('ai/coordinator', [READ])], [rule(['ai/coordinator'], [READ])])).to.deep.equal([
      {
        rule: 0,
        to: 'ai/coordinator',
        reason: 'GrantsNothing',
        message: 'rules[0]: ai/coordinator cannot delegate to itself: take it out of "to"',
      },
    ]);
  });

  it('says what the delegating agent lacks: the capability, the use, the resource', () => {
    const ceiling: Capability[] = [{ name: 'write', use: 'Invoke' }, READ_REPORTS];
    const wanted = [{ name: 'deploy' }, { name: 'read', resources: ['/data/*'] }, { name: 'write' }];
    const agents = [agent('ai/coordinator', ceiling), agent('ai/analyst', wanted)];
    expect(problems(agents, [rule(['ai/analyst'], wanted)]).map(short)).to.deep.equal([
      'deploy NotInCeilingOfFrom ai/coordinator does not hold deploy: add it to spec.capabilities of AgentIdentity ai/coordinator, or take it out of the rule',
      'read NotInCeilingOfFrom ai/coordinator holds read on /data/reports/*, not on /data/*: narrow the resources of the rule, or widen them in AgentIdentity ai/coordinator',
      'write NotInCeilingOfFrom ai/coordinator holds write for Invoke only and may not pass it on: take "use" out of its entry in AgentIdentity ai/coordinator, or take write out of the rule',
    ]);
  });

  it('says what no target holds', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', []), agent('ai/writer', [])];
    expect(problems(agents, [rule(['ai/analyst', 'ai/writer'], [READ])]).map(short)).to.deep.equal([
      'read NotInAnyCeiling ai/analyst does not hold read: add it to spec.capabilities of AgentIdentity ai/analyst, or take it out of the rule (no other target of the rule takes it either)',
    ]);
  });

  it('says that ceilings have nothing in common', () => {
    const agents = [
      agent('ai/coordinator', [READ_REPORTS]),
      agent('ai/analyst', [{ name: 'read', resources: ['/data/raw/*'] }]),
    ];
    expect(problems(agents).map(short)).to.deep.equal([
      'read GrantsNothing the resources that the agents hold read on have nothing in common: let them overlap',
    ]);
  });

  it('names the boundary that leaves nothing, or less than the rule says', () => {
    const both = [READ, { name: 'write' }];
    const graph = graphOf(
      [agent('ai/coordinator', both), agent('data/analyst', both, { acceptFrom: [{ namespace: 'ai' }] })],
      [policy([rule(['data/analyst'], [{ name: 'read', resources: ['/data/*'] }, { name: 'write' }])])],
    );
    const namespaceSelector = { matchLabels: { zone: 'data' } };
    graph.putBoundary({ name: 'reports', namespaceSelector, capabilities: [READ_REPORTS], tokens: {} });
    expect(graph.policyReport('ai/swarm')?.problems.map(short)).to.deep.equal([
      'read OutsideBoundary CapabilityBoundary reports leaves read on /data/reports/*, not on /data/*, to agents of namespace data: widen the boundary, or take it out of the rule',
      'write OutsideBoundary CapabilityBoundary reports leaves no write to agents of namespace data: widen the boundary, or take it out of the rule',
    ]);
  });

  it('says that a boundary is required where none is', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ])];
    const graph = graphOf(agents, [policy([rule(['ai/analyst'], [READ])])], { boundaryRequired: true });
    expect(graph.policyReport('ai/swarm')?.problems.map(short)).to.deep.equal([
      'read OutsideBoundary agents of namespace ai hold no read, because boundary.required is set and no CapabilityBoundary selects it: let one select it',
    ]);
  });

  it('names three resources of many', () => {
    const resources = ['/a', '/b', '/c', '/d', '/e'];
    const agents = [agent('ai/coordinator', [{ name: 'read', resources }]), agent('ai/analyst', [READ])];
    const [problem] = problems(agents, [rule(['ai/analyst'], [{ name: 'read', resources: ['/z'] }])]);
    expect(problem?.message).to.contain('holds read on /a, /b, /c and 2 more, not on /z');
  });

  it('says nothing of a policy that is not there', () => {
    expect(graphOf([], []).policyReport('ai/swarm')).to.equal(undefined);
  });

  it('follows a circle as deep as the policy lets it, and no deeper than the boundary does', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ])];
    const circle = [rule(['ai/analyst'], [READ]), { ...rule(['ai/coordinator'], [READ]), from: 'analyst' }];
    const graph = graphOf(agents, [policy(circle, { maxDepth: 8 })]);
    expect(graph.policyReport('ai/swarm')?.longestChain).to.equal(8);
    graph.putBoundary({ name: 'shallow', namespaceSelector: {}, maxDepth: 3, tokens: {} });
    expect(graph.policyReport('ai/swarm')?.longestChain).to.equal(3);
  });

  it('ends a chain where what is carried has nothing in common, or nobody may use it', () => {
    const links = (last: Capability): readonly RuleFacts[] => [
      rule(['ai/analyst'], [READ_REPORTS]),
      { from: 'analyst', to: ['ai/writer'], capabilities: [last], tokens: TOKENS },
    ];
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ]), agent('ai/writer', [READ])];
    const longest = (last: Capability, those: readonly AgentFacts[] = agents): number | undefined =>
      graphOf(those, [policy(links(last))]).policyReport('ai/swarm')?.longestChain;
    expect(longest(READ)).to.equal(2);
    expect(longest({ name: 'read', resources: ['/data/raw/*'] })).to.equal(1);
    const passesOn = agent('ai/writer', [{ name: 'read', use: 'Delegate' }]);
    expect(longest(READ, [...agents.slice(0, 2), passesOn])).to.equal(1);
  });
});

function problems(
  agents: readonly AgentFacts[],
  rules: readonly RuleFacts[] = [rule(['ai/analyst'], [READ])],
): readonly PolicyProblem[] {
  return graphOf(agents, [policy(rules)]).policyReport('ai/swarm')?.problems ?? [];
}

function short({ capability, reason, message }: PolicyProblem): string {
  return `${capability} ${reason} ${message.replace(/^rules\[0\]: /, '')}`;
}
