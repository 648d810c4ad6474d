/** Random worlds of agents and policies, the same for the same seed. */

import type {
  AgentFacts,
  AgentId,
  BoundaryFacts,
  PolicyFacts,
  RuleFacts,
} from '../../src/domain/delegation/facts.ts';
import type { World } from './delegation-reference.ts';
import { pseudoRandom } from './pseudo-random.ts';

/** Concrete resources that the patterns below tell apart. */
export const RESOURCES: readonly string[] = [
  '/data',
  '/data/a',
  '/data/a/1',
  '/data/ab',
  '/data/b/1',
  'data/a',
  's3://x/a',
];
/** Capabilities of the worlds. */
export const CAPABILITIES: readonly string[] = ['read', 'write', 'deploy'];
const PATTERNS = ['*', '/*', '/data/*', '/data/a', '/data/a/*', '/data/b/*', 'data/*', 's3://x/*'];
const NAMESPACES = ['north', 'south'];

/** Draws from a list, a number, a truth. */
export class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = pseudoRandom(seed);
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** @throws RangeError for an empty list. */
  one<T>(list: readonly T[]): T {
    const [value] = list.slice(this.below(list.length));
    if (value === undefined) throw new RangeError('nothing to draw from');
    return value;
  }

  /** Each with a probability. */
  some<T>(list: readonly T[], probability: number): readonly T[] {
    return list.filter(() => this.chance(probability));
  }
}

/** Ids that the agents of a world of `count` have. */
export function agentIds(count: number): readonly AgentId[] {
  return Array.from({ length: count }, (_, index): AgentId => `${NAMESPACES[index % 2]}/agent-${index}`);
}

/** A world of at most `maxAgents`, with policies that also name agents that are not there. */
export function randomWorld(dice: Dice, maxAgents: number): World {
  const ids = agentIds(2 + dice.below(maxAgents - 1));
  return {
    agents: ids.filter(() => dice.chance(0.95)).map((id) => randomAgent(dice, id)),
    policies: NAMESPACES.flatMap((namespace) =>
      ['first', 'second'].slice(0, dice.below(3)).map((name) => randomPolicy(dice, { namespace, name }, ids)),
    ),
    boundaries: dice.chance(0.4) ? [randomBoundary(dice, 'limit')] : [],
    namespaces: new Map(NAMESPACES.map((name) => [name, { zone: name }])),
  };
}

/** An agent with a random ceiling. */
export function randomAgent(dice: Dice, id: AgentId): AgentFacts {
  const [namespace = '', name = ''] = id.split('/');
  return {
    namespace,
    name,
    isServed: dice.chance(0.95),
    capabilities: dice.some(CAPABILITIES, 0.8).map((capability) => ({
      name: capability,
      ...randomResources(dice),
      ...(dice.chance(0.3) ? { use: dice.one(['Invoke', 'Delegate'] as const) } : {}),
    })),
    acceptFrom: dice.chance(0.5) ? [{ namespace: dice.one(NAMESPACES) }] : [],
    tokens: { maxTtlSeconds: 60 + dice.below(240), maxUses: 1 + dice.below(5) },
  };
}

/** A policy over the agents `ids`. */
export function randomPolicy(
  dice: Dice,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  ids: readonly AgentId[],
): PolicyFacts {
  const own = ids.filter((id) => id.startsWith(`${namespace}/`)).map((id) => id.slice(namespace.length + 1));
  const rules =
    own.length === 0 ? [] : Array.from({ length: dice.below(5) }, () => randomRule(dice, own, ids));
  return { namespace, name, maxDepth: 1 + dice.below(4), rules };
}

/** A boundary for one of the namespaces, or for all. */
export function randomBoundary(dice: Dice, name: string): BoundaryFacts {
  return {
    name,
    namespaceSelector: dice.chance(0.5) ? {} : { matchLabels: { zone: dice.one(NAMESPACES) } },
    ...(dice.chance(0.7)
      ? {
          capabilities: dice
            .some(CAPABILITIES, 0.7)
            .map((each) => ({ name: each, ...randomResources(dice) })),
        }
      : {}),
    ...(dice.chance(0.5) ? { maxDepth: 1 + dice.below(3) } : {}),
    tokens: {},
  };
}

function randomRule(dice: Dice, own: readonly string[], ids: readonly AgentId[]): RuleFacts {
  const to = [...new Set([dice.one(ids), dice.one(ids)])];
  return {
    from: dice.one(own),
    to,
    capabilities: [dice.one(CAPABILITIES), dice.one(CAPABILITIES)]
      .filter((capability, index, all) => all.indexOf(capability) === index)
      .map((capability) => ({ name: capability, ...randomResources(dice) })),
    tokens: { maxTtlSeconds: 120, maxUses: 1 },
  };
}

function randomResources(dice: Dice): { readonly resources?: readonly string[] } {
  if (dice.chance(0.4)) return {};
  return { resources: [...new Set([dice.one(PATTERNS), dice.one(PATTERNS)])] };
}
