/** What is said of an edit that widens; when one is found at all is a matter of widening.property.test.ts. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { additionsOf } from '../../../../src/domain/admission/additions.ts';
import { wideningsOf } from '../../../../src/domain/admission/widening.ts';
import type { Capability } from '../../../../src/domain/capability/capability.ts';
import type { BoundaryFacts, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import type { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { agent, graphOf, policy, rule } from '../delegation/fixture.ts';

const READ = { name: 'read' };

/** Each violation with its path and the way out. */
function said(graph: DelegationGraph, rules: readonly RuleFacts[]): readonly unknown[] {
  const additions = additionsOf({ before: undefined, after: policy(rules) });
  return wideningsOf(additions, 'ai', graph).map(({ says, travels, wayOut }) => [
    says,
    travels?.().join(' -> '),
    wayOut,
  ]);
}

/** A coordinator that holds these, and two targets that hold everything asked. */
function withCoordinator(capabilities: readonly Capability[]): DelegationGraph {
  const all = ['read', 'write', 'deploy'].map((name) => ({ name }));
  const [analyst, keeper] = [agent('ai/analyst', all), agent('data/keeper', all)];
  return graphOf([agent('ai/coordinator', capabilities), analyst, keeper], []);
}

function withTargets(...ceilings: readonly (readonly Capability[])[]): DelegationGraph {
  const targets = ceilings.map((ceiling, index) => agent(`ai/target-${index}`, ceiling));
  return graphOf([agent('ai/coordinator', [READ, { name: 'write' }]), ...targets], []);
}

describe('wideningsOf: the delegating agent', () => {
  it('accepts what it holds for Delegate, the name alone where the rule has no resources', () => {
    const graph = withCoordinator([
      { name: 'read', resources: ['/a/*'], use: 'Delegate' },
      { name: 'write' },
    ]);
    const rules = [
      rule(['ai/analyst'], [READ, { name: 'write', resources: ['/b'] }]),
      rule(['data/keeper'], [{ name: 'read', resources: ['/a/b', '/a/*'] }]),
    ];
    expect(said(graph, rules)).to.deep.equal([]);
  });

  it('rejects what it does not hold', () => {
    const graph = withCoordinator([READ, { name: 'write', use: 'Invoke' }]);
    expect(
      said(graph, [rule(['ai/analyst'], [READ, { name: 'deploy', resources: ['/a', '/b'] }])]),
    ).to.deep.equal([
      [
        'spec.rules[0].capabilities[1] deploy: coordinator does not hold it for Delegate (it holds read)',
        'ai/coordinator -> ai/analyst',
        'Add it to the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/deploy), or take it out of the rule',
      ],
    ]);
  });

  it('rejects what it holds for Invoke only', () => {
    const graph = withCoordinator([{ name: 'read', use: 'Invoke' }]);
    expect(said(graph, [rule(['data/keeper'], [READ])])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] read: coordinator holds it for Invoke only and may not pass it on',
        'ai/coordinator -> data/keeper',
        'Take "use" out of its entry in the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/read), or take it out of the rule',
      ],
    ]);
  });

  it('rejects each resource beyond those it holds', () => {
    const graph = withCoordinator([{ name: 'read', resources: ['/data/reports/*'] }]);
    const wayOut =
      'Narrow the resources of the rule, or widen them in the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/read)';
    const wanted = { name: 'read', resources: ['/data/*', '/data/reports/q1', '/x'] };
    expect(said(graph, [rule(['ai/analyst'], [wanted])])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] resources "/data/*": coordinator holds read on "/data/reports/*" only',
        'ai/coordinator -> ai/analyst',
        wayOut,
      ],
      [
        'spec.rules[0].capabilities[0] resources "/x": coordinator holds read on "/data/reports/*" only',
        'ai/coordinator -> ai/analyst',
        wayOut,
      ],
    ]);
  });

  it('judges one that is cut off by its ceiling, and none that does not exist', () => {
    const suspended = graphOf([agent('ai/coordinator', [READ], { isServed: false })], []);
    expect(said(suspended, [rule(['ai/analyst'], [READ])])).to.deep.equal([]);
    expect(said(suspended, [rule(['ai/analyst'], [{ name: 'write' }])])).to.have.length(1);
    expect(said(graphOf([], []), [rule(['ai/analyst'], [{ name: 'write' }])])).to.deep.equal([]);
  });
});

describe('wideningsOf: the targets', () => {
  it('accepts what one of them holds, and anything as long as one of them does not exist', () => {
    const graph = withTargets([READ], []);
    expect(said(graph, [rule(['ai/target-1', 'ai/target-0'], [READ])])).to.deep.equal([]);
    expect(said(graph, [rule(['ai/target-1', 'ai/nobody'], [READ])])).to.deep.equal([]);
  });

  it('rejects what a single one does not hold', () => {
    expect(said(withTargets([{ name: 'write' }]), [rule(['ai/target-0'], [READ])])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] read: target-0 does not hold it (it holds write)',
        'ai/coordinator -> ai/target-0',
        'Add it to the AgentIdentity target-0 (needs verb grant on capabilities.agenttrust.dev/read), or take it out of the rule',
      ],
    ]);
  });

  it('rejects what none of several holds', () => {
    expect(
      said(withTargets([], [{ name: 'write' }]), [rule(['ai/target-0', 'ai/target-1'], [READ])]),
    ).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] read: no target of the rule holds it (target-0, target-1)',
        'ai/coordinator -> ai/target-0',
        'Add it to the AgentIdentity of a target (needs verb grant on capabilities.agenttrust.dev/read), or take it out of the rule',
      ],
    ]);
  });

  it('rejects a resource that none of them holds in full', () => {
    const graph = withTargets(
      [{ name: 'read', resources: ['/a/*'] }],
      [{ name: 'read', resources: ['/b', '/a/c'] }],
    );
    const wanted = { name: 'read', resources: ['/a/x', '/b', '/*'] };
    expect(said(graph, [rule(['ai/target-0', 'ai/target-1'], [wanted])])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] resources "/*": the targets of the rule (target-0, target-1) hold read on "/a/*", "/b" only',
        'ai/coordinator -> ai/target-0',
        'Narrow the resources of the rule, or widen them in the AgentIdentity of a target (needs verb grant on capabilities.agenttrust.dev/read)',
      ],
    ]);
  });

  it('shows by which chain it would come', () => {
    const planner = agent('ai/planner', [READ]);
    const graph = withTargets([]);
    graph.putAgent(planner);
    graph.putPolicy(policy([rule(['ai/coordinator'], [READ], { from: 'planner' })], { name: 'plan' }));
    const [first] = said(graph, [rule(['ai/target-0'], [READ])]);
    expect((first as readonly unknown[])[1]).to.equal('ai/planner -> ai/coordinator -> ai/target-0');
  });
});

describe('wideningsOf: boundaries', () => {
  const boundary = (name: string, zone: string, capabilities: readonly Capability[]): BoundaryFacts => ({
    name,
    namespaceSelector: { matchLabels: { zone } },
    capabilities,
    tokens: {},
  });

  it('accepts what those of the delegating namespace leave, and those of one of the other namespaces', () => {
    const graph = withCoordinator([READ]);
    graph.putBoundary(boundary('ai', 'ai', [READ, { name: 'write' }]));
    graph.putBoundary(boundary('data', 'data', []));
    expect(said(graph, [rule(['ai/analyst', 'data/keeper'], [READ])])).to.deep.equal([]);
  });

  it('rejects what those of the delegating namespace do not leave, once', () => {
    const graph = withCoordinator([READ, { name: 'write' }]);
    graph.putBoundary(boundary('staging', 'ai', [{ name: 'read', resources: ['/a/*'] }]));
    const wanted = [
      { name: 'read', resources: ['/a/b', '/b'] },
      { name: 'write', resources: ['/a', '/b'] },
    ];
    expect(said(graph, [rule(['ai/analyst'], wanted)])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] resources "/b": CapabilityBoundary staging leaves read on "/a/*" only to agents of namespace ai',
        'ai/coordinator -> ai/analyst',
        'Widen the boundary, or take it out of the rule',
      ],
      [
        'spec.rules[0].capabilities[1] write: CapabilityBoundary staging leaves no write to agents of namespace ai',
        'ai/coordinator -> ai/analyst',
        'Widen the boundary, or take it out of the rule',
      ],
    ]);
  });

  it('rejects what those of no namespace of a target that exists leave', () => {
    const graph = withCoordinator([READ]);
    graph.putBoundary(boundary('no-data', 'data', [{ name: 'write' }]));
    const says = [
      'spec.rules[0].capabilities[0] read: CapabilityBoundary no-data leaves no read to agents of namespace data',
      'ai/coordinator -> data/keeper',
      'Widen the boundary, or take it out of the rule',
    ];
    expect(said(graph, [rule(['data/keeper'], [READ])])).to.deep.equal([says]);
    expect(said(graph, [rule(['data/keeper', 'data/nobody'], [READ])])).to.deep.equal([says]);
    expect(said(graph, [rule(['data/nobody'], [READ])])).to.deep.equal([]);
  });

  it('rejects what is left of a delegating namespace without agents too', () => {
    const graph = graphOf([], []);
    graph.putBoundary(boundary('staging', 'ai', [{ name: 'write' }]));
    expect(said(graph, [rule(['ai/analyst'], [READ])])).to.have.length(1);
    expect(said(graph, [rule(['ai/analyst'], [{ name: 'write' }])])).to.deep.equal([]);
  });

  it('rejects everything where a boundary is required and none selects the namespace', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ])];
    const graph = graphOf(agents, [], { boundaryRequired: true });
    expect(said(graph, [rule(['ai/analyst'], [READ])])).to.deep.equal([
      [
        'spec.rules[0].capabilities[0] read: agents of namespace ai hold nothing, because boundary.required is set and no CapabilityBoundary selects it',
        'ai/coordinator -> ai/analyst',
        'Let a CapabilityBoundary select namespace ai, or take it out of the rule',
      ],
    ]);
  });
});

describe('wideningsOf', () => {
  it('finds all that is wrong, by rule, capability and check', () => {
    const graph = withTargets([]);
    const found = said(graph, [
      rule(['ai/target-0'], [{ name: 'deploy' }, READ]),
      rule(['ai/target-0'], [READ], { from: 'target-0' }),
    ]);
    expect(found.map((each) => (each as readonly string[])[0]?.split(':')[0])).to.deep.equal([
      'spec.rules[0].capabilities[0] deploy',
      'spec.rules[0].capabilities[0] deploy',
      'spec.rules[0].capabilities[1] read',
      'spec.rules[1].capabilities[0] read',
      'spec.rules[1].capabilities[0] read',
    ]);
  });

  it('counts no further than a hundred', () => {
    const wanted = Array.from({ length: 64 }, (_, index) => ({ name: `c${index}` }));
    const rules = [rule(['ai/target-0'], wanted), rule(['ai/target-1'], wanted)];
    expect(said(withTargets([], []), rules)).to.have.length(100);
  });
});
