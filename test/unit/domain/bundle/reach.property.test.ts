/** What a bundle holds against the slow and obvious reference, and against what the whole graph decides. */

import { expect } from 'chai';
import { type Reach, reachOf } from '../../../../src/domain/bundle/reach.ts';
import { evaluateChain } from '../../../../src/domain/delegation/chain.ts';
import type { AgentId, EffectiveEdge } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { reachReference, type Way } from '../../../support/bundle/reach-reference.ts';
import type { World } from '../../../support/delegation-reference.ts';
import { agentIds, CAPABILITIES, Dice, RESOURCES, randomWorld } from '../../../support/random-world.ts';

const WORLDS = Number(process.env['WORLDS'] ?? 300);
const MAX_AGENTS = 5;
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

interface Scene {
  readonly graph: DelegationGraph;
  readonly suspended: ReadonlySet<AgentId>;
  readonly ids: readonly AgentId[];
  readonly world: World;
}

function sceneOf(dice: Dice): Scene {
  const drawn = randomWorld(dice, MAX_AGENTS);
  const suspended = new Set<AgentId>();
  const agents = drawn.agents.map((facts) => {
    if (!dice.chance(0.15)) return facts;
    suspended.add(`${facts.namespace}/${facts.name}`);
    return { ...facts, isServed: false };
  });
  const world = { ...drawn, agents };
  const graph = new DelegationGraph();
  for (const facts of agents) graph.putAgent(facts);
  for (const facts of world.policies) graph.putPolicy(facts);
  for (const facts of world.boundaries) graph.putBoundary(facts);
  for (const [name, labels] of world.namespaces) graph.putNamespace(name, labels);
  return {
    graph,
    suspended,
    ids: agents.map(({ namespace, name }): AgentId => `${namespace}/${name}`),
    world,
  };
}

const reachIn = ({ graph, suspended, ids }: Scene, namespace: string): Reach =>
  reachOf({
    graph,
    own: ids.filter((id) => id.startsWith(`${namespace}/`)),
    isSuspended: (id) => suspended.has(id),
  });

/** Edges, and those that would be if nobody was cut off: rules whose target accepts. */
function waysOf({ graph, suspended, ids, world }: Scene): readonly Way[] {
  return ids.flatMap((from) =>
    ids.flatMap((to): Way[] => {
      const edge = graph.edge(from, to);
      if (edge !== undefined)
        return [
          { from, to, maxDepth: Math.max(...edge.grants.map(({ maxDepth }) => maxDepth)), isReal: true },
        ];
      const isCut = suspended.has(from) || suspended.has(to);
      const [home = '', name = ''] = from.split('/');
      const accepts = world.agents
        .find((agent) => `${agent.namespace}/${agent.name}` === to)
        ?.acceptFrom.some(({ namespace }) => namespace === home);
      const depths = world.policies
        .filter(
          ({ namespace, rules }) =>
            namespace === home && rules.some((rule) => rule.from === name && rule.to.includes(to)),
        )
        .map(({ maxDepth }) => maxDepth);
      const isNamed = isCut && depths.length > 0 && (accepts === true || to.startsWith(`${home}/`));
      return isNamed ? [{ from, to, maxDepth: Math.max(...depths), isReal: false }] : [];
    }),
  );
}

const idOf = ({ from, to }: EffectiveEdge): string => `${from}>${to}`;

describe(`reachOf, over ${WORLDS} worlds from seed ${SEED}`, () => {
  const scenes = Array.from({ length: WORLDS }, (_, at) => sceneOf(new Dice(SEED + at)));

  it('finds what the reference finds, and nothing else', () => {
    let edges = 0;
    for (const [at, scene] of scenes.entries())
      for (const namespace of ['north', 'south']) {
        const own = scene.ids.filter((id) => id.startsWith(`${namespace}/`));
        const wanted = reachReference(waysOf(scene), own, scene.suspended);
        const found = reachIn(scene, namespace);
        const shown = { edges: found.edges.map(idOf).sort(), signers: found.signers };
        expect(shown, `${namespace} of seed ${SEED + at}`).to.deep.equal(wanted);
        edges += found.edges.length;
      }
    expect(edges).to.be.above(WORLDS / 2);
  });

  it('decides every chain that ends in the namespace as the whole graph does', () => {
    let granted = 0;
    for (const [at, scene] of scenes.entries()) {
      const dice = new Dice(at);
      for (let tries = 0; tries < 100; tries++) {
        const chain = Array.from({ length: 2 + dice.below(4) }, () => dice.one(agentIds(MAX_AGENTS)));
        const [namespace = ''] = (chain.at(-1) ?? '').split('/');
        const known = new Map(reachIn(scene, namespace).edges.map((edge) => [idOf(edge), edge]));
        const asked = { name: dice.one(CAPABILITIES), resource: dice.one(RESOURCES) };
        const whole = evaluateChain(scene.graph, chain, asked);
        const own = evaluateChain({ edge: (from, to) => known.get(`${from}>${to}`) }, chain, asked);
        expect(own.kind, `${chain.join(' > ')} of seed ${SEED + at}`).to.equal(whole.kind);
        if (whole.kind === 'granted') {
          expect(own).to.deep.equal(whole);
          granted++;
        }
      }
    }
    expect(granted).to.be.above(10);
  });
});
