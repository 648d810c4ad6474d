import { expect } from 'chai';
import { chainCapabilities, evaluateChain } from '../../../../src/domain/delegation/chain.ts';
import { isSameEdge } from '../../../../src/domain/delegation/edge.ts';
import type { AgentId, EffectiveEdge } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph, type EdgeId, type GraphChange } from '../../../../src/domain/delegation/graph.ts';
import {
  holds,
  matches,
  referenceAllows,
  referenceChainAllows,
  type World,
} from '../../../support/delegation-reference.ts';
import {
  agentIds,
  CAPABILITIES,
  Dice,
  RESOURCES,
  randomAgent,
  randomBoundary,
  randomPolicy,
  randomWorld,
} from '../../../support/random-world.ts';

const WORLDS = 150;
const MAX_AGENTS = 8;

/** Steps that build a world, in any order. */
function stepsOf(world: World): readonly ((graph: DelegationGraph) => GraphChange)[] {
  return [
    ...world.agents.map((facts) => (graph: DelegationGraph) => graph.putAgent(facts)),
    ...world.policies.map((facts) => (graph: DelegationGraph) => graph.putPolicy(facts)),
    ...world.boundaries.map((facts) => (graph: DelegationGraph) => graph.putBoundary(facts)),
    ...[...world.namespaces].map(
      ([name, labels]) =>
        (graph: DelegationGraph) =>
          graph.putNamespace(name, labels),
    ),
  ];
}

function graphOf(world: World): DelegationGraph {
  const graph = new DelegationGraph();
  for (const step of stepsOf(world)) step(graph);
  return graph;
}

function pairs(): readonly (readonly [AgentId, AgentId])[] {
  const ids = agentIds(MAX_AGENTS);
  return ids.flatMap((from) => ids.map((to) => [from, to] as const));
}

function edgesOf(graph: DelegationGraph): ReadonlyMap<EdgeId, EffectiveEdge> {
  const edges = new Map<EdgeId, EffectiveEdge>();
  for (const [from, to] of pairs()) {
    const edge = graph.edge(from, to);
    if (edge !== undefined) edges.set(`${from}>${to}`, edge);
  }
  return edges;
}

function grants(edge: EffectiveEdge | undefined, name: string, resource: string): boolean {
  return (edge?.grants ?? []).some(({ capabilities }) =>
    capabilities.some(
      (held) => held.name === name && (held.resources?.some((pattern) => matches(pattern, resource)) ?? true),
    ),
  );
}

function randomChain(dice: Dice): readonly AgentId[] {
  const ids = agentIds(MAX_AGENTS);
  return Array.from({ length: 2 + dice.below(4) }, () => dice.one(ids));
}

/** A chain along edges that are there, which random agents seldom make. */
function walk(graph: DelegationGraph, dice: Dice): readonly AgentId[] {
  const chain = [dice.one(agentIds(MAX_AGENTS))];
  for (let left = 1 + dice.below(4); left > 0; left--) {
    const next = graph.edgesOutOf(chain.at(-1) ?? '/');
    if (next.length === 0) break;
    chain.push(dice.one(next).to);
  }
  return chain;
}

describe('DelegationGraph', () => {
  it('grants over every edge exactly what the slow reference says', () => {
    let granted = 0;
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = randomWorld(new Dice(seed), MAX_AGENTS);
      const graph = graphOf(world);
      for (const [from, to] of pairs()) {
        for (const name of CAPABILITIES) {
          for (const resource of RESOURCES) {
            const expected = referenceAllows(world, from, to, { name, resource });
            if (expected) granted++;
            expect(
              grants(graph.edge(from, to), name, resource),
              `${seed} ${from} ${to} ${name} ${resource}`,
            ).to.equal(expected);
          }
        }
      }
    }
    expect(granted).to.be.greaterThan(400);
  });

  it('never grants over an edge what the ceiling of either end lacks', () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = randomWorld(new Dice(seed), MAX_AGENTS);
      const graph = graphOf(world);
      for (const [from, to] of pairs()) {
        for (const name of CAPABILITIES) {
          for (const resource of RESOURCES) {
            if (!grants(graph.edge(from, to), name, resource)) continue;
            expect(holds(world, from, { name, resource, use: 'Delegate' })).to.equal(true);
            expect(holds(world, to, { name, resource })).to.equal(true);
          }
        }
      }
    }
  });

  it('is the same whatever the order in which objects come', () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const dice = new Dice(seed);
      const world = randomWorld(dice, MAX_AGENTS);
      const steps = [...stepsOf(world)];
      const graph = new DelegationGraph();
      while (steps.length > 0) steps.splice(dice.below(steps.length), 1)[0]?.(graph);
      const other = graphOf(world);
      expect(edgesOf(graph)).to.deep.equal(edgesOf(other));
      for (const { namespace, name } of world.policies) {
        expect(graph.policyReport(`${namespace}/${name}`)).to.deep.equal(
          other.policyReport(`${namespace}/${name}`),
        );
      }
    }
  });

  it('tells of every change exactly the edges that differ, and ends as if computed from nothing', () => {
    let changes = 0;
    for (let seed = 1; seed <= WORLDS / 3; seed++) {
      const dice = new Dice(seed);
      let world = randomWorld(dice, MAX_AGENTS);
      const graph = graphOf(world);
      for (let round = 0; round < 12; round++) {
        const before = edgesOf(graph);
        const edit = randomEdit(dice, world);
        const reports = reportsOf(graph, edit.world);
        const change = edit.apply(graph);
        world = edit.world;
        const after = edgesOf(graph);
        const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
          (id) => !isSameEdge(before.get(id), after.get(id)),
        );
        expect([...change.edges].sort()).to.deep.equal(differing.sort());
        expect([...change.targets].sort()).to.deep.equal(
          [...new Set(differing.map((id) => id.slice(id.indexOf('>') + 1)))].sort(),
        );
        expect(after).to.deep.equal(edgesOf(graphOf(world)));
        expect(graph.edgeCount).to.equal(after.size);
        for (const [id, report] of reportsOf(graph, world)) {
          if (JSON.stringify(reports.get(id)) !== JSON.stringify(report))
            expect(change.policies).to.include(id);
        }
        changes += differing.length;
      }
    }
    expect(changes).to.be.greaterThan(100);
  });

  it('lists edges from both ends', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const graph = graphOf(randomWorld(new Dice(seed), MAX_AGENTS));
      const ids = agentIds(MAX_AGENTS);
      const all = [...edgesOf(graph).values()].map(({ from, to }) => `${from}>${to}`).sort();
      expect(
        ids.flatMap((id) => graph.edgesInto(id).map(({ from, to }) => `${from}>${to}`)).sort(),
      ).to.deep.equal(all);
      expect(
        ids.flatMap((id) => graph.edgesOutOf(id).map(({ from, to }) => `${from}>${to}`)).sort(),
      ).to.deep.equal(all);
    }
  });
});

describe('evaluateChain', () => {
  it('grants to the last agent exactly what the slow reference says', () => {
    const seen = { granted: 0, withheld: 0 };
    for (let seed = 1; seed <= WORLDS; seed++) {
      const dice = new Dice(seed);
      const world = randomWorld(dice, MAX_AGENTS);
      const graph = graphOf(world);
      for (let round = 0; round < 20; round++) {
        const chain = dice.chance(0.5) ? walk(graph, dice) : randomChain(dice);
        for (const name of CAPABILITIES) {
          for (const resource of RESOURCES) {
            const result = evaluateChain(graph, chain, { name, resource });
            seen[result.kind]++;
            const expected = referenceChainAllows(world, chain, { name, resource });
            expect(result.kind, `${seed} ${chain} ${name} ${resource}`).to.equal(
              expected ? 'granted' : 'withheld',
            );
            if (!expected) continue;
            for (const agent of chain.slice(1))
              expect(holds(world, agent, { name, resource })).to.equal(true);
            const total = chainCapabilities(graph, chain).find((each) => each.name === name);
            expect(
              total?.resources?.some((pattern) => matches(pattern, resource)) ?? total !== undefined,
            ).to.equal(true);
          }
        }
      }
    }
    expect(seen.granted).to.be.greaterThan(300);
    expect(seen.withheld).to.be.greaterThan(500);
  });
});

describe('policyReport', () => {
  it('finds the longest chain that walking along every edge finds', () => {
    const found = new Set<number>();
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = randomWorld(new Dice(seed), 5);
      for (const policy of world.policies) {
        const alone = { ...world, policies: [policy] };
        const report = graphOf(alone).policyReport(`${policy.namespace}/${policy.name}`);
        const expected = longestByWalking(alone);
        found.add(expected);
        expect(report?.longestChain, `${seed} ${policy.namespace}/${policy.name}`).to.equal(expected);
      }
    }
    expect([...found].sort()).to.include.members([0, 1, 2, 3]);
  });
});

/** Tries every chain, on resources fine enough to tell all patterns apart. */
function longestByWalking(world: World): number {
  const fine = [
    ...RESOURCES,
    '/data/a/*x'.replace('*', ''),
    'data/z',
    '/z',
    'q',
    '/data/b/2',
    '/data/c',
    's3://x/b',
  ];
  const ids = agentIds(5);
  let longest = 0;
  for (let length = 4; length > longest; length--) {
    const extend = (chain: readonly AgentId[]): boolean => {
      if (chain.length === length + 1)
        return CAPABILITIES.some((name) =>
          fine.some((resource) => referenceChainAllows(world, chain, { name, resource })),
        );
      return ids.some((next) => {
        const from = chain.at(-1) ?? next;
        const isLink = CAPABILITIES.some((name) =>
          fine.some((resource) => referenceAllows(world, from, next, { name, resource })),
        );
        return isLink && extend([...chain, next]);
      });
    };
    if (ids.some((id) => extend([id]))) longest = length;
  }
  return longest;
}

function reportsOf(graph: DelegationGraph, world: World): ReadonlyMap<string, unknown> {
  return new Map(
    world.policies.map(({ namespace, name }) => [
      `${namespace}/${name}`,
      graph.policyReport(`${namespace}/${name}`),
    ]),
  );
}

interface Edit {
  readonly world: World;
  readonly apply: (graph: DelegationGraph) => GraphChange;
}

/** One object put, replaced or taken away. */
function randomEdit(dice: Dice, world: World): Edit {
  const ids = agentIds(MAX_AGENTS);
  const [kind] = [dice.below(7)];
  if (kind <= 1) {
    const agent = randomAgent(dice, dice.one(ids));
    const others = world.agents.filter(
      ({ namespace, name }) => namespace !== agent.namespace || name !== agent.name,
    );
    return { world: { ...world, agents: [...others, agent] }, apply: (graph) => graph.putAgent(agent) };
  }
  if (kind === 2) {
    const id = dice.one(ids);
    const agents = world.agents.filter(({ namespace, name }) => `${namespace}/${name}` !== id);
    return { world: { ...world, agents }, apply: (graph) => graph.removeAgent(id) };
  }
  if (kind <= 4) return policyEdit(dice, world, ids);
  if (kind === 5) {
    const labels = { zone: dice.one(['north', 'south', 'west']) };
    const namespaces = new Map([...world.namespaces, ['north', labels]]);
    return { world: { ...world, namespaces }, apply: (graph) => graph.putNamespace('north', labels) };
  }
  const name = dice.one(['limit', 'other']);
  const others = world.boundaries.filter((each) => each.name !== name);
  if (dice.chance(0.4))
    return { world: { ...world, boundaries: others }, apply: (graph) => graph.removeBoundary(name) };
  const boundary = randomBoundary(dice, name);
  return {
    world: { ...world, boundaries: [...others, boundary] },
    apply: (graph) => graph.putBoundary(boundary),
  };
}

function policyEdit(dice: Dice, world: World, ids: readonly AgentId[]): Edit {
  const id = { namespace: dice.one(['north', 'south']), name: dice.one(['first', 'second']) };
  const others = world.policies.filter(
    ({ namespace, name }) => namespace !== id.namespace || name !== id.name,
  );
  if (dice.chance(0.25)) {
    return {
      world: { ...world, policies: others },
      apply: (graph) => graph.removePolicy(`${id.namespace}/${id.name}`),
    };
  }
  const policy = randomPolicy(dice, id, ids);
  return { world: { ...world, policies: [...others, policy] }, apply: (graph) => graph.putPolicy(policy) };
}
