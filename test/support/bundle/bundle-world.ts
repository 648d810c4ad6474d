/** Random sources of bundles: a graph with agents of all kinds, keys, servers and revocations. */

import type { BundleAgent, BundleSources } from '../../../src/domain/bundle/contents.ts';
import { serverPolicyOf } from '../../../src/domain/bundle/resolve-server.ts';
import { resolveRevocation } from '../../../src/domain/bundle/revocations.ts';
import { resolveTokenSettings } from '../../../src/domain/bundle/token-settings.ts';
import type { AgentFacts, AgentId } from '../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../src/domain/delegation/graph.ts';
import type { PublishedKey } from '../../../src/domain/token/state/jwks-file.ts';
import type { Revocation } from '../../../src/domain/token/state/revocations-file.ts';
import type { World } from '../delegation-reference.ts';
import { CAPABILITIES, Dice, randomWorld } from '../random-world.ts';
import { newSigner, T0 } from '../token/scene.ts';

/** Sources, and the world they are made from. */
export interface BundleWorld {
  readonly world: World;
  readonly sources: BundleSources;
}

/** Making keys takes long: some are used by many. */
const KEYS: readonly PublishedKey[] = Array.from({ length: 8 }, () => {
  const { publicJwk, kid } = newSigner();
  const published = { kid, use: 'sig', since: T0 } as const;
  return publicJwk.kty === 'EC'
    ? { ...publicJwk, ...published, alg: 'ES256' }
    : { ...publicJwk, ...published, alg: 'Ed25519' };
});

export const spiffeIdOf = (id: AgentId): string => {
  const [namespace = '', name = ''] = id.split('/');
  return `spiffe://cluster.local/ns/${namespace}/sa/sa-${name}`;
};

/** A world of a seed. `order` lets its objects come in another order; nothing else differs. */
export function bundleWorld(
  seed: number,
  order: (count: number) => readonly number[] = inOrder,
): BundleWorld {
  const dice = new Dice(seed);
  const drawn = randomWorld(dice, 8);
  const suspended = new Set<AgentId>();
  const facts = drawn.agents.map((agent): AgentFacts => {
    if (!dice.chance(0.15)) return agent;
    suspended.add(`${agent.namespace}/${agent.name}`);
    return { ...agent, isServed: false };
  });
  const world = { ...drawn, agents: facts };
  const known = new Map(facts.map((agent) => agentOf(dice, agent, suspended)));
  const revocations = Array.from({ length: dice.below(6) }, (_, at) =>
    revocationOf(dice, at, [...known.keys()]),
  );
  const keys = new Map(
    [...known.keys()].map((id) => [
      id,
      dice.some(KEYS, 0.3).map((key) => (dice.chance(0.5) ? { ...key, until: T0 + 9 } : key)),
    ]),
  );
  const ids = order(facts.length)
    .map((at) => [...known.keys()][at])
    .filter((id) => id !== undefined);
  return {
    world,
    sources: {
      clusterDomain: 'cluster.local',
      graph: graphOf(world, order),
      agent: (id) => known.get(id),
      agentsIn: (namespace) => ids.filter((id) => id.startsWith(`${namespace}/`)),
      keys: (id) => keys.get(id) ?? [],
      server: (id) => serverOf(id),
      revocations: order(revocations.length).flatMap((at) => revocations[at] ?? []),
      notBefore: (id) => (id.endsWith('1') ? T0 : undefined),
    },
  };
}

function inOrder(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}

function graphOf(world: World, order: (count: number) => readonly number[]): DelegationGraph {
  const graph = new DelegationGraph();
  const steps = [
    ...world.agents.map((each) => () => graph.putAgent(each)),
    ...world.policies.map((each) => () => graph.putPolicy(each)),
    ...world.boundaries.map((each) => () => graph.putBoundary(each)),
    ...[...world.namespaces].map(
      ([name, labels]) =>
        () =>
          graph.putNamespace(name, labels),
    ),
  ];
  for (const at of order(steps.length)) steps[at]?.();
  return graph;
}

function agentOf(
  dice: Dice,
  { namespace, name, isServed }: AgentFacts,
  suspended: ReadonlySet<AgentId>,
): readonly [AgentId, BundleAgent] {
  const id: AgentId = `${namespace}/${name}`;
  const tokens = {
    maxChildren: 1 + dice.below(256),
    binding: dice.one(['Auto', 'Certificate', 'Key']),
    originate: dice.one(['Auto', 'Always', 'Never']),
  };
  const settings = resolveTokenSettings(tokens, []);
  const state = isServed ? 'served' : suspended.has(id) ? 'suspended' : 'refused';
  return [
    id,
    { namespace, name, spiffeId: spiffeIdOf(id), settings, isMeshed: namespace === 'south', state },
  ];
}

function serverOf(id: AgentId): ReturnType<typeof serverPolicyOf> {
  const [namespace = '', name = ''] = id.split('/');
  const spec = {
    capabilities: CAPABILITIES.map((each) => ({ name: each })),
    server: {
      verifier: 'SDK',
      replay: 'Shared',
      routes: [
        { method: 'GET', path: '/v1/{table}/{**}', capability: 'read', resource: '/data/{table}' },
        { method: 'POST', path: '/v1/delegate', accepts: 'Access' },
      ],
    },
  };
  return serverPolicyOf(
    { namespace, name, clusterDomain: 'cluster.local', hasSeveralPods: false },
    spec,
    () => false,
  );
}

function revocationOf(dice: Dice, at: number, agents: readonly AgentId[]): Revocation {
  const agent = agents.length === 0 ? 'north/nobody' : dice.one(agents);
  const spec = dice.one([
    { agent },
    { tokenID: `token-${at}` },
    { transaction: `tree-${at}` },
    { subject: { issuer: 'https://login.example.org', name: 'u-17' } },
    { policy: 'first', agent },
    { everything: true, issuedBefore: '2026-11-20T10:00:00Z' },
  ]);
  const resolved = resolveRevocation({
    namespace: dice.one(['north', 'south']),
    createdAt: T0 + at,
    isForAll: dice.chance(0.3),
    spec,
    spiffeIdOf,
  });
  if (resolved.kind === 'invalid') throw new Error(resolved.invalidFields.join());
  return resolved.entry;
}
