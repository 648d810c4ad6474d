/** An edit of a policy is admitted exactly when the slow reference has nothing against what it adds. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { additionsOf } from '../../../../src/domain/admission/additions.ts';
import { wideningsOf } from '../../../../src/domain/admission/widening.ts';
import type { AgentId, PolicyFacts } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { type Reason, referenceReasons } from '../../../support/admission-reference.ts';
import { holds, matches, type World } from '../../../support/delegation-reference.ts';
import { narrowedPolicy, randomEdit } from '../../../support/policy-edits.ts';
import {
  agentIds,
  CAPABILITIES,
  Dice,
  RESOURCES,
  randomBoundary,
  randomPolicy,
  randomWorld,
} from '../../../support/random-world.ts';

const EDITS = 4_000;
const MAX_AGENTS = 8;

/** A world in which agents often hold all or nothing, so that every outcome is frequent. */
function newWorld(dice: Dice): World {
  const world = randomWorld(dice, MAX_AGENTS);
  const isRich = dice.chance(0.7);
  return {
    ...world,
    agents: world.agents.map((agent) =>
      isRich
        ? { ...agent, capabilities: dice.chance(0.7) ? CAPABILITIES.map((name) => ({ name })) : [] }
        : agent,
    ),
    boundaries: ['one', 'two', 'three'].slice(0, dice.below(4)).map((name) => {
      const boundary = randomBoundary(dice, name);
      const { capabilities: _, ...unlimited } = boundary;
      return isRich && dice.chance(0.5) ? unlimited : boundary;
    }),
  };
}

function graphOf(world: World): DelegationGraph {
  const graph = new DelegationGraph();
  for (const each of world.boundaries) graph.putBoundary(each);
  for (const [name, labels] of world.namespaces) graph.putNamespace(name, labels);
  for (const each of world.agents) graph.putAgent(each);
  for (const each of world.policies) graph.putPolicy(each);
  return graph;
}

function stored(world: World, dice: Dice): PolicyFacts {
  const [policy] = world.policies;
  return policy ?? randomPolicy(dice, { namespace: 'north', name: 'first' }, agentIds(MAX_AGENTS));
}

function violationsOf(
  graph: DelegationGraph,
  before: PolicyFacts | undefined,
  after: PolicyFacts,
): readonly string[] {
  return wideningsOf(additionsOf({ before, after }), after.namespace, graph).map(({ says }) => says);
}

/** Everything that the graph grants and a ceiling or a boundary of the reference does not. */
function beyondCeilings(graph: DelegationGraph, world: World): readonly string[] {
  return agentIds(MAX_AGENTS)
    .flatMap((id) => graph.edgesOutOf(id))
    .flatMap(({ from, to, grants }) =>
      grants.flatMap(({ capabilities }) =>
        capabilities.flatMap(({ name, resources = ['*'] }) =>
          RESOURCES.filter((resource) => resources.some((pattern) => matches(pattern, resource)))
            .filter((resource) => !isHeldByBoth(world, from, to, { name, resource }))
            .map((resource) => `${from} ${to} ${name} ${resource}`),
        ),
      ),
    );
}

function isHeldByBoth(
  world: World,
  from: AgentId,
  to: AgentId,
  asked: { readonly name: string; readonly resource: string },
): boolean {
  return holds(world, from, { ...asked, use: 'Delegate' }) && holds(world, to, asked);
}

describe('wideningsOf', () => {
  it('finds nothing exactly when the slow reference has nothing against what is added', () => {
    const outcomes = { admitted: 0, addedAndAdmitted: 0, a: 0, b: 0, c: 0 };
    for (let seed = 1; seed <= EDITS; seed++) {
      const dice = new Dice(seed);
      const world = newWorld(dice);
      const { before, after } = randomEdit(dice, stored(world, dice), agentIds(MAX_AGENTS));
      const reasons = referenceReasons(world, before, after);
      const violations = violationsOf(graphOf(world), before, after);
      expect(violations.length === 0, `seed ${seed}: ${[...reasons]} ${violations.join('\n')}`).to.equal(
        reasons.size === 0,
      );
      if (reasons.size === 0) outcomes.admitted++;
      if (reasons.size === 0 && additionsOf({ before, after }).found.length > 0) outcomes.addedAndAdmitted++;
      for (const reason of reasons) outcomes[reason]++;
    }
    expect(Math.min(...Object.values(outcomes))).to.be.greaterThan(100);
  });

  it('finds each of the reasons that the slow reference has, and no other', () => {
    const alone: Record<Reason, number> = { a: 0, b: 0, c: 0 };
    for (let seed = 1; seed <= EDITS; seed++) {
      const dice = new Dice(seed);
      const world = newWorld(dice);
      const { before, after } = randomEdit(dice, stored(world, dice), agentIds(MAX_AGENTS));
      if (after.rules.some(({ from, to }) => to.includes(`${after.namespace}/${from}`))) continue;
      const reasons = referenceReasons(world, before, after);
      const found = new Set(violationsOf(graphOf(world), before, after).map((says) => reasonOf(after, says)));
      expect([...found].sort(), `seed ${seed}`).to.deep.equal([...reasons].sort());
      const [only] = reasons;
      if (reasons.size === 1 && only !== undefined) alone[only]++;
    }
    expect(Math.min(...Object.values(alone))).to.be.greaterThan(30);
  });

  it('lets no edit through that yields an edge beyond a ceiling or a boundary', () => {
    let edges = 0;
    for (let seed = 1; seed <= EDITS / 4; seed++) {
      const dice = new Dice(seed);
      const world = newWorld(dice);
      const graph = graphOf(world);
      const { before, after } = randomEdit(dice, stored(world, dice), agentIds(MAX_AGENTS));
      if (violationsOf(graph, before, after).length > 0) continue;
      graph.putPolicy(after);
      edges += graph.edgeCount;
      expect(beyondCeilings(graph, world), `seed ${seed}`).to.deep.equal([]);
    }
    expect(edges).to.be.greaterThan(500);
  });

  it('finds nothing in an edit that only removes or narrows, whatever was stored', () => {
    let changed = 0;
    for (let seed = 1; seed <= EDITS / 2; seed++) {
      const dice = new Dice(seed);
      const world = newWorld(dice);
      const before = stored(world, dice);
      const after = narrowedPolicy(dice, before);
      if (JSON.stringify(after) !== JSON.stringify(before)) changed++;
      expect(violationsOf(graphOf(world), before, after), `seed ${seed}`).to.deep.equal([]);
    }
    expect(changed).to.be.greaterThan(EDITS / 4);
  });
});

/** By what a violation says, which of the three it is. */
function reasonOf({ rules }: PolicyFacts, says: string): Reason {
  if (/ leaves | boundary\.required /.test(says)) return 'c';
  const [, index, who] = /^spec\.rules\[(\d+)\].*?: (\S+) /.exec(says) ?? [];
  return rules[Number(index)]?.from === who ? 'a' : 'b';
}
