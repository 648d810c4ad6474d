/** What an edit is said to do is what the graph does once it is carried out. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { effectsOf, lossesOf } from '../../../../src/domain/admission/effects.ts';
import { placedRules } from '../../../../src/domain/admission/policy-edit.ts';
import { type Edit, Trial } from '../../../../src/domain/admission/trial.ts';
import { holderOf, isSameEdge } from '../../../../src/domain/delegation/edge.ts';
import type { AgentId, EffectiveEdge } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { matches, type World } from '../../../support/delegation-reference.ts';
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

const EDITS = 600;
const IDS = agentIds(8);
const PAIRS = IDS.flatMap((from) => IDS.map((to) => ({ from, to })));

function graphOf(world: World): DelegationGraph {
  const graph = new DelegationGraph();
  for (const each of world.boundaries) graph.putBoundary(each);
  for (const [name, labels] of world.namespaces) graph.putNamespace(name, labels);
  for (const each of world.agents) graph.putAgent(each);
  for (const each of world.policies) graph.putPolicy(each);
  return graph;
}

/** A world of agents of which half hold everything, so that most edits change something. */
function newWorld(dice: Dice): World {
  const world = randomWorld(dice, 8);
  const capabilities = CAPABILITIES.map((name) => ({ name }));
  return {
    ...world,
    agents: world.agents.map((agent) => (dice.chance(0.5) ? { ...agent, capabilities } : agent)),
  };
}

/** An edit of one object: as a trial takes it, and carried out. */
interface Drawn {
  readonly edit: Edit;
  readonly carryOut: (graph: DelegationGraph) => unknown;
}

function randomEdit(dice: Dice, graph: DelegationGraph): Drawn {
  switch (dice.below(3)) {
    case 0: {
      const facts = randomAgent(dice, dice.one(IDS));
      const holder = holderOf(facts, graph.limitsOf(facts.namespace));
      return {
        edit: { holder: (id) => (id === holder.id ? holder : undefined) },
        carryOut: (each) => each.putAgent(facts),
      };
    }
    case 1: {
      const facts = randomBoundary(dice, dice.one(['limit', 'other']));
      const holder = (id: AgentId) => {
        const agent = graph.agent(id);
        return agent && holderOf(agent, graph.limitsOf(agent.namespace, facts));
      };
      return { edit: { holder }, carryOut: (each) => each.putBoundary(facts) };
    }
    default: {
      const at = { namespace: dice.one(['north', 'south']), name: dice.one(['first', 'second', 'third']) };
      const facts = randomPolicy(dice, at, IDS);
      return {
        edit: { policy: { id: `${at.namespace}/${at.name}`, rules: placedRules(facts) } },
        carryOut: (each) => each.putPolicy(facts),
      };
    }
  }
}

/** With the grants in the order in which the graph has them. */
function sorted(edge: EffectiveEdge | undefined): EffectiveEdge | undefined {
  const order = ({ policy, rule }: EffectiveEdge['grants'][number]): string => `${policy} ${rule}`;
  return edge && { ...edge, grants: edge.grants.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)) };
}

function edgesInto(edges: Pick<Trial, 'sourcesOf' | 'edge'>, to: AgentId): readonly unknown[] {
  const sources = [...edges.sourcesOf(to)].filter((from) => edges.edge(from, to) !== undefined);
  return sources.sort().map((from) => sorted(edges.edge(from, to)));
}

/** What an edge grants, one concrete use at a time. */
function usesOf(edge: EffectiveEdge | undefined): ReadonlySet<string> {
  const uses = new Set<string>();
  for (const { name, resources, use } of (edge?.grants ?? []).flatMap(({ capabilities }) => capabilities)) {
    for (const resource of [...RESOURCES, 'none']) {
      if (resources !== undefined && !resources.some((pattern) => matches(pattern, resource))) continue;
      if (resource === 'none' && resources !== undefined) continue;
      for (const each of ['Invoke', 'Delegate'])
        if (use === undefined || use === each)
          uses.add(`${edge?.from} ${edge?.to} ${name} ${resource} ${each}`);
    }
  }
  return uses;
}

describe('Trial', () => {
  it('has the edges that the graph has once the edit is carried out, and leaves the graph as it is', () => {
    let changed = 0;
    for (let seed = 1; seed <= EDITS; seed++) {
      const dice = new Dice(seed);
      const world = newWorld(dice);
      const graph = graphOf(world);
      const { edit, carryOut } = randomEdit(dice, graph);
      const trial = new Trial(graph, edit);
      const tried = PAIRS.map(({ from, to }) => sorted(trial.edge(from, to)));
      const into = IDS.map((id) => edgesInto(trial, id));
      const delegating = IDS.map((id) => trial.delegates(id));
      const untouched = graphOf(world);
      for (const { from, to } of PAIRS)
        expect(isSameEdge(graph.edge(from, to), untouched.edge(from, to)), `${seed}`).to.equal(true);
      carryOut(graph);
      const after = PAIRS.map(({ from, to }) => sorted(graph.edge(from, to)));
      expect(tried, `seed ${seed}`).to.deep.equal(after);
      expect(into, `seed ${seed}`).to.deep.equal(IDS.map((id) => edgesInto(graph, id)));
      expect(delegating, `seed ${seed}`).to.deep.equal(IDS.map((id) => graph.edgesOutOf(id).length > 0));
      changed += PAIRS.filter(
        ({ from, to }) => !isSameEdge(graph.edge(from, to), untouched.edge(from, to)),
      ).length;
    }
    expect(changed).to.be.greaterThan(60);
  });
});

describe('effectsOf', () => {
  it('tells every edge that gains or loses a use, and no other', () => {
    const seen = { gains: 0, losses: 0 };
    for (let seed = 1; seed <= EDITS; seed++) {
      const dice = new Dice(seed);
      const graph = graphOf(newWorld(dice));
      const { edit, carryOut } = randomEdit(dice, graph);
      const trial = new Trial(graph, edit);
      const { gains } = effectsOf(graph, trial, PAIRS);
      const losses = lossesOf(graph, trial, PAIRS).flatMap(({ lost }) => lost);
      const before = PAIRS.map(({ from, to }) => graph.edge(from, to));
      carryOut(graph);
      const [gaining, losing] = [new Set<string>(), new Set<string>()];
      for (const [index, { from, to }] of PAIRS.entries()) {
        const [had, has] = [usesOf(before[index]), usesOf(graph.edge(from, to))];
        for (const name of CAPABILITIES) {
          const of = (uses: ReadonlySet<string>) => [...uses].filter((use) => use.includes(` ${name} `));
          if (of(has).some((use) => !had.has(use))) gaining.add(`${from} ${to} ${name}`);
          if (of(had).some((use) => !has.has(use))) losing.add(`${from} ${to} ${name}`);
        }
      }
      const idOf = ({ from, to, name }: { from: string; to: string; name: string }) =>
        `${from} ${to} ${name}`;
      expect(new Set(gains.map(idOf)), `seed ${seed}`).to.deep.equal(gaining);
      expect(new Set(losses.map(idOf)), `seed ${seed}`).to.deep.equal(losing);
      seen.gains += gaining.size;
      seen.losses += losing.size;
    }
    expect(Math.min(seen.gains, seen.losses)).to.be.greaterThan(60);
  });
});
