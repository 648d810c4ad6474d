import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { reviewPolicy } from '../../../src/admission/policy.ts';
import type { Reviewer } from '../../../src/admission/review.ts';
import {
  creation,
  type KnownCluster,
  type KnownLists,
  startKnown,
  stored,
  update,
} from '../../support/known-cluster.ts';

const GET = { name: 'kubectl_get' };
const APPLY = { name: 'kubectl_apply' };
const AGENTS = [
  stored('ai/coordinator', {
    capabilities: [GET, { name: 'query_database', resources: ['/data/reports/*'] }],
  }),
  stored('ai/deployer', { capabilities: [GET, APPLY] }),
  stored('data/analyst', { capabilities: [{ name: 'query_database' }], acceptFrom: [{ namespace: 'ai' }] }),
];

interface Rule {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly capabilities?: readonly object[];
  readonly [field: string]: unknown;
}

function policy(rules: readonly Rule[], id = 'ai/swarm'): ReturnType<typeof stored> {
  const filled = rules.map((rule) => ({
    from: 'coordinator',
    to: ['deployer'],
    capabilities: [GET],
    ...rule,
  }));
  return stored(id, { maxDepth: 2, rules: filled });
}

describe('reviewPolicy', () => {
  let cluster: KnownCluster | undefined;

  async function reviewer(lists: KnownLists = {}): Promise<Reviewer> {
    cluster = await startKnown({ agentidentities: AGENTS, ...lists });
    return reviewPolicy(cluster.known);
  }

  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('accepts what both ends hold, and tells who gains what through whom', async () => {
    const review = await reviewer();
    const rules = [
      { name: 'deploy' },
      { to: ['data/analyst'], capabilities: [{ name: 'query_database', resources: ['/data/reports/q1'] }] },
    ];
    expect(review(creation(policy(rules)))).to.deep.equal({
      kind: 'allowed',
      warnings: [
        'deployer gains kubectl_get through coordinator (rule "deploy"): coordinator -> deployer',
        'data/analyst gains query_database on /data/reports/q1 through coordinator (policy ai/swarm, rules[1]): coordinator -> data/analyst',
      ],
    });
  });

  it('rejects what can never be granted, with field, path and way out of each', async () => {
    const review = await reviewer();
    const rules = [
      { capabilities: [GET, APPLY] },
      { to: ['data/analyst'], capabilities: [{ name: 'query_database', resources: ['/data/*'] }] },
    ];
    expect(review(creation(policy(rules)))).to.deep.equal({
      kind: 'refused',
      message: [
        'this would widen capabilities',
        '  spec.rules[0].capabilities[1] kubectl_apply: coordinator does not hold it for Delegate (it holds kubectl_get, query_database).',
        '    It would travel coordinator -> deployer.',
        '    Add it to the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/kubectl_apply), or take it out of the rule.',
        '  spec.rules[1].capabilities[0] resources "/data/*": coordinator holds query_database on "/data/reports/*" only.',
        '    It would travel coordinator -> data/analyst.',
        '    Narrow the resources of the rule, or widen them in the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/query_database).',
      ].join('\n'),
    });
  });

  it('rejects fields that the schema lets through, beside what widens', async () => {
    const review = await reviewer();
    expect(
      review(creation(policy([{ to: ['ai/coordinator', 'deployer'], capabilities: [APPLY] }]))),
    ).to.deep.equal({
      kind: 'refused',
      message: [
        'this DelegationPolicy would grant nothing, because it is not valid',
        '  spec.rules[0].to[0] is the delegating agent itself: take it out.',
        'this would widen capabilities',
        '  spec.rules[0].capabilities[0] kubectl_apply: coordinator does not hold it for Delegate (it holds kubectl_get, query_database).',
        '    It would travel coordinator -> deployer.',
        '    Add it to the AgentIdentity coordinator (needs verb grant on capabilities.agenttrust.dev/kubectl_apply), or take it out of the rule.',
      ].join('\n'),
    });
  });

  it('accepts an update that leaves what is too wide as it was', async () => {
    const wide = policy([{ capabilities: [GET, APPLY] }]);
    const review = await reviewer({ delegationpolicies: [wide] });
    const more = policy([
      { capabilities: [APPLY, GET] },
      { to: ['data/analyst'], capabilities: [{ name: 'query_database' }] },
    ]);
    const answer = review(update(wide, more));
    expect(answer.kind).to.equal('allowed');
    expect(answer.warnings).to.deep.equal([
      'rules[0]: ai/coordinator does not hold kubectl_apply: add it to spec.capabilities of AgentIdentity ai/coordinator, or take it out of the rule',
      'data/analyst gains query_database on /data/reports/* through coordinator (policy ai/swarm, rules[1]): coordinator -> data/analyst',
    ]);
    const widest = policy([{ capabilities: [GET, APPLY, { name: 'delete_all' }] }]);
    expect(review(update(wide, widest)))
      .to.have.property('message')
      .that.matches(/capabilities\[2\] delete_all: coordinator/);
  });

  it('judges by the old object of the request, not by the one that is known', async () => {
    const wide = policy([{ capabilities: [GET, APPLY] }]);
    const review = await reviewer({ delegationpolicies: [wide] });
    expect(review(update(policy([{}]), wide)).kind).to.equal('refused');
    expect(review(creation(wide)).kind).to.equal('refused');
  });

  it('accepts references that do not resolve, an edge without consent and a repeated rule, with a warning', async () => {
    const review = await reviewer({
      agentidentities: [...AGENTS, stored('data/keeper', { capabilities: [GET] })],
    });
    const rules = [
      { to: ['nobody'] },
      { from: 'stranger' },
      { to: ['data/keeper'] },
      { to: ['data/keeper'], name: 'again' },
    ];
    expect(review(creation(policy(rules)))).to.deep.equal({
      kind: 'allowed',
      warnings: [
        'rule "again": it says the same as rules[2]: take one of them out',
        'rules[0]: AgentIdentity ai/nobody does not exist: create it, or correct the rule',
        'rules[1]: AgentIdentity ai/stranger does not exist: create it, or correct the rule',
        'rules[2]: data/keeper does not accept delegations from ai/coordinator: add {namespace: ai, agents: [coordinator]} to spec.acceptFrom of AgentIdentity data/keeper',
        'rule "again": data/keeper does not accept delegations from ai/coordinator: add {namespace: ai, agents: [coordinator]} to spec.acceptFrom of AgentIdentity data/keeper',
      ],
    });
  });

  it('warns of a rule that grants nothing although all agents hold it', async () => {
    const review = await reviewer({
      agentidentities: [
        stored('ai/coordinator', { capabilities: [{ name: 'read', resources: ['/a/*'] }] }),
        stored('ai/deployer', { capabilities: [{ name: 'read', resources: ['/b/*'] }] }),
      ],
    });
    expect(review(creation(policy([{ capabilities: [{ name: 'read' }] }])))).to.deep.equal({
      kind: 'allowed',
      warnings: [
        'rules[0]: the resources that the agents hold read on have nothing in common: let them overlap',
      ],
    });
  });

  it('warns that an agent may start no chain any more', async () => {
    const downstream = policy([{ from: 'deployer', to: ['validator'] }], 'ai/downstream');
    const agents = [...AGENTS, stored('ai/validator', { capabilities: [GET] })];
    const review = await reviewer({ agentidentities: agents, delegationpolicies: [downstream] });
    const off =
      'deployer may start no chain of its own any more: the edge from coordinator is the first into it, and its tokens.originate is Auto';
    expect(review(creation(policy([{}]))).warnings).to.deep.equal([
      off,
      'deployer gains kubectl_get through coordinator (policy ai/swarm, rules[0]): coordinator -> deployer',
    ]);
    // The validator delegates to nobody, so it has no chain to start.
    expect(review(creation(policy([{ to: ['validator'] }]))).warnings).to.deep.equal([
      'validator gains kubectl_get through coordinator (policy ai/swarm, rules[0]): coordinator -> validator',
    ]);
  });

  it('says nothing of a lone narrowing', async () => {
    const before = policy([{}, { to: ['data/analyst'], capabilities: [{ name: 'query_database' }] }]);
    const review = await reviewer({ delegationpolicies: [before] });
    const after = policy([
      { to: ['data/analyst'], capabilities: [{ name: 'query_database', resources: ['/data/reports/q1'] }] },
    ]);
    expect(review(update(before, after))).to.deep.equal({ kind: 'allowed' });
    expect(review(update(before, policy([])))).to.deep.equal({ kind: 'allowed' });
  });

  it('leaves the graph as it is', async () => {
    const before = policy([{}]);
    const review = await reviewer({ delegationpolicies: [before] });
    const { graph } = (cluster as KnownCluster).known.book;
    const edges = (): unknown => structuredClone(graph.edgesOutOf('ai/coordinator'));
    const known = edges();
    review(
      update(
        before,
        policy([{ to: ['deployer', 'data/analyst'] }, { from: 'deployer', to: ['coordinator'] }]),
      ),
    );
    review(creation(policy([{}], 'ai/other')));
    expect(edges()).to.deep.equal(known);
    expect(graph.edgeCount).to.equal(1);
  });
});
