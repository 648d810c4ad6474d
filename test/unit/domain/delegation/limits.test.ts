/** Depth and tokens of every grant are the least of all that limits them, compared with plain loops over the facts. */

import { expect } from 'chai';
import type {
  AgentFacts,
  AgentId,
  BoundaryFacts,
  EdgeGrant,
  TokenLimits,
} from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { holds, type World } from '../../../support/delegation-reference.ts';
import { agentIds, Dice, randomBoundary, randomWorld } from '../../../support/random-world.ts';
import { agent, graphOf, policy, rule } from './fixture.ts';

const WORLDS = 150;
const READ = { name: 'read' };

describe('EdgeGrant', () => {
  it('has the least depth and the least tokens of rule, both ends and all boundaries of both namespaces', () => {
    let seen = 0;
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = limitedWorld(new Dice(seed));
      const graph = graphOfWorld(world);
      for (const edge of agentIds(8).flatMap((id) => graph.edgesOutOf(id))) {
        expect(edge.grants.map(limitsOf), `${seed} ${edge.from}>${edge.to}`).to.deep.equal(
          edge.grants.map((grant) => leastLimits(world, edge, grant)),
        );
        seen += edge.grants.length;
      }
    }
    expect(seen).to.be.greaterThan(100);
  });

  it('follows a boundary that comes, changes and goes', () => {
    const agents = [agent('ai/coordinator', [READ]), agent('ai/analyst', [READ])];
    const graph = graphOf(agents, [policy([rule(['ai/analyst'], [READ])])]);
    const limits = (): object | undefined => {
      const [grant] = graph.edge('ai/coordinator', 'ai/analyst')?.grants ?? [];
      return grant && limitsOf(grant);
    };
    const free = limits();
    const boundary = { name: 'limit', namespaceSelector: {}, maxDepth: 1, tokens: { maxTtlSeconds: 30 } };
    const change = graph.putBoundary(boundary);
    expect(change).to.deep.equal({
      edges: new Set(['ai/coordinator>ai/analyst']),
      targets: new Set(['ai/analyst']),
      policies: new Set(['ai/swarm']),
    });
    expect(limits()).to.deep.equal({ maxDepth: 1, tokens: { maxTtlSeconds: 30, maxUses: 5 } });
    expect(graph.putBoundary({ ...boundary }).edges.size).to.equal(0);
    graph.removeBoundary('limit');
    expect(limits()).to.deep.equal(free);
  });
});

describe('putNamespace', () => {
  const north: BoundaryFacts = {
    name: 'north',
    namespaceSelector: { matchLabels: { zone: 'north' } },
    capabilities: [],
    tokens: {},
  };

  function newGraph(): DelegationGraph {
    const graph = new DelegationGraph();
    graph.putBoundary(north);
    for (const id of ['ai/coordinator', 'ai/analyst'] as const) graph.putAgent(agent(id, [READ]));
    graph.putPolicy(policy([rule(['ai/analyst'], [READ])]));
    return graph;
  }

  it('takes away what a boundary binds as long as nobody knows whom it selects', () => {
    const graph = newGraph();
    expect(graph.heldBy('ai/analyst')).to.deep.equal([]);
    expect([...graph.putNamespace('ai', { zone: 'south' }).edges]).to.deep.equal([
      'ai/coordinator>ai/analyst',
    ]);
    expect(graph.heldBy('ai/analyst')).to.deep.equal([READ]);
  });

  it('binds and frees with a label', () => {
    const graph = newGraph();
    graph.putNamespace('ai', { zone: 'south' });
    expect(graph.putNamespace('ai', { zone: 'south', team: 'a' }).edges.size).to.equal(0);
    expect([...graph.putNamespace('ai', { zone: 'north' }).targets]).to.deep.equal(['ai/analyst']);
    expect(graph.edge('ai/coordinator', 'ai/analyst')).to.equal(undefined);
  });
});

describe('putPolicy', () => {
  const agents = ['coordinator', 'analyst', 'writer'].map((name): AgentFacts => agent(`ai/${name}`, [READ]));
  const rules = [
    rule(['ai/analyst', 'ai/writer'], [READ]),
    rule(['ai/analyst'], [{ name: 'read', resources: ['/a/*'] }], { name: 'more' }),
  ] as const;

  it('tells of nothing when nothing differs', () => {
    const graph = graphOf(agents, [policy(rules)]);
    expect(graph.putPolicy(structuredClone(policy(rules))).edges.size).to.equal(0);
  });

  it('keeps what the rules that stay grant, beside what others do', () => {
    const graph = graphOf(agents, [policy(rules)]);
    const [first, second] = rules;
    const changed = [first, { ...second, capabilities: [{ name: 'read', resources: ['/b/*'] }] }];
    const change = graph.putPolicy(policy(changed));
    expect([...change.edges]).to.deep.equal(['ai/coordinator>ai/analyst']);
    expect(graph.edge('ai/coordinator', 'ai/analyst')).to.deep.equal(
      graphOf(agents, [policy(changed)]).edge('ai/coordinator', 'ai/analyst'),
    );
  });

  it('sorts the rules of an edge by policy and index, whichever came first', () => {
    const named = (name: string): ReturnType<typeof policy> => policy(rules, { name });
    const graph = graphOf(agents, [named('b'), named('a-b'), named('a')]);
    graph.putPolicy(policy([rules[1], rules[0]], { name: 'a-b' }));
    expect(
      graph.edge('ai/coordinator', 'ai/analyst')?.grants.map((grant) => `${grant.policy} ${grant.rule}`),
    ).to.deep.equal(['ai/a 0', 'ai/a 1', 'ai/a-b 0', 'ai/a-b 1', 'ai/b 0', 'ai/b 1']);
  });
});

/** A world with several boundaries, which limit tokens too, and consent for single agents. */
function limitedWorld(dice: Dice): World {
  const world = randomWorld(dice, 8);
  const names = ['one', 'two', 'three'].slice(0, dice.below(4));
  return {
    ...world,
    agents: world.agents.map((each) => ({
      ...each,
      acceptFrom: [
        ...each.acceptFrom,
        { namespace: 'north', agents: dice.some(['agent-0', 'agent-2', 'agent-4'], 0.5) },
      ],
    })),
    boundaries: names.map((name) => ({
      ...randomBoundary(dice, name),
      tokens: {
        ...(dice.chance(0.5) ? { maxTtlSeconds: 10 + dice.below(290) } : {}),
        ...(dice.chance(0.5) ? { maxUses: 1 + dice.below(5) } : {}),
      },
    })),
  };
}

function graphOfWorld(world: World): DelegationGraph {
  const graph = new DelegationGraph();
  for (const each of world.boundaries) graph.putBoundary(each);
  for (const [name, labels] of world.namespaces) graph.putNamespace(name, labels);
  for (const each of world.agents) graph.putAgent(each);
  for (const each of world.policies) graph.putPolicy(each);
  return graph;
}

function limitsOf({ maxDepth, tokens }: EdgeGrant): {
  readonly maxDepth: number;
  readonly tokens: TokenLimits;
} {
  return { maxDepth, tokens };
}

function leastLimits(
  world: World,
  ends: { readonly from: AgentId; readonly to: AgentId },
  grant: EdgeGrant,
): ReturnType<typeof limitsOf> {
  const { from, to } = ends;
  const namespaces = [from, to].map((id) => id.slice(0, id.indexOf('/')));
  const boundaries = world.boundaries.filter(({ namespaceSelector: { matchLabels = {} } }) =>
    namespaces.some((name) => matchLabels['zone'] === undefined || matchLabels['zone'] === name),
  );
  const agents = world.agents.filter(({ namespace, name }) => [from, to].includes(`${namespace}/${name}`));
  const of = world.policies.find(({ namespace, name }) => `${namespace}/${name}` === grant.policy);
  const limits = [of?.rules[grant.rule], ...agents, ...boundaries].map((each) => each?.tokens ?? {});
  for (const { name, resources = ['/'] } of grant.capabilities) {
    const [resource = '/'] = resources.map((pattern) => pattern.replace('*', 'x'));
    expect(holds(world, to, { name, resource })).to.equal(true);
  }
  return {
    maxDepth: Math.min(...[of, ...boundaries].map((each) => each?.maxDepth ?? 8)),
    tokens: {
      maxTtlSeconds: Math.min(...limits.map(({ maxTtlSeconds = 300 }) => maxTtlSeconds)),
      maxUses: Math.min(...limits.map(({ maxUses = 5 }) => maxUses)),
    },
  };
}
