/** What the demo shows of capability tokens: a chain of two calls, and what becomes of every attempt to do more. */

import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { MemoryReplayStore } from '../../src/domain/token/replay/memory-store.ts';
import type { ReplayStore } from '../../src/domain/token/replay/replay-store.ts';
import type { Access } from './access.ts';
import { type Claims, claimsOf, DelegatingAgents, hashOf } from './delegated-calls.ts';
import { Mismatch } from './mismatch.ts';
import { mountPod } from './pod-folder.ts';
import type { Stage } from './stage.ts';

/** For each call of the demo one, and for the rotation hundreds; a caller may fill a quarter. */
const REPLAY_CAPACITY = 40_000;
/** A verifier refuses what was issued until so long after it began to remember: clocks may differ by that. */
const FENCE_MS = 31_000;
const GRANT_TYPE = 'https://agenttrust.dev/capability/v1';

/** The stores of used tokens, begun before there is anybody who could use one. */
export class Memories {
  readonly #startedAtMs = performance.now();
  readonly stores: { readonly deployer: ReplayStore; readonly validator: ReplayStore } = {
    deployer: newStore(),
    validator: newStore(),
  };

  /** How long they refuse what is new. */
  get untilReadyMs(): number {
    return this.#startedAtMs + FENCE_MS - performance.now();
  }
}

function newStore(): ReplayStore {
  return new MemoryReplayStore({ capacity: REPLAY_CAPACITY, now: () => Date.now() / 1000 });
}

/** Gives each agent its files below `directory`, and starts those that are called. */
export async function startAgents(
  access: Access,
  directory: string,
  swarm: {
    readonly identities: readonly AgentIdentity[];
    readonly edges: number;
    readonly memories: Memories;
  },
): Promise<DelegatingAgents> {
  const { identities, edges, memories } = swarm;
  for (const identity of identities)
    await mountPod(access, join(directory, identity.metadata.name), {
      identity,
      counts: { agents: identities.length, edges },
    });
  return DelegatingAgents.start(directory, memories.stores);
}

/** Tells of a chain and of the attacks on it. */
export async function tellOfTokens(
  stage: Stage,
  agents: DelegatingAgents,
  { untilReadyMs }: Memories,
): Promise<void> {
  if (untilReadyMs > 0)
    await stage.step(
      'half a minute since the agents began to remember used tokens: sooner they take none',
      () => after(untilReadyMs),
    );
  await stage.step(
    'agent-coordinator delegates to agent-deployer, and that to agent-validator',
    () => agents.delegate(),
    (path) => ({ notes: [`the validator sees ${path.join(' -> ')}`] }),
  );
  stage.screen.line(' Somebody has taken over agent-deployer, and has all of its files:');
  const parent = agents.token();
  const widened = grant('kubectl_apply', 'namespaces/staging/*');
  await refused(stage, 'a child that grants more than its parent', 'not_narrower', () =>
    agents.send({
      from: 'agent-deployer',
      to: 'agent-validator',
      token: agents.childOf(parent, { authorization_details: widened }),
      parents: [parent],
    }),
  );
  await refused(stage, 'a third hop', 'depth_exceeded', () => thirdHop(agents, parent));
  await refused(stage, 'a path trick: POST /v1//delegate', 'malformed', () =>
    agents.send({ from: 'agent-coordinator', to: 'agent-deployer', token: parent, path: '/v1//delegate' }),
  );
  await refused(stage, 'a token of agent-coordinator in the hands of agent-analyst', 'holder_mismatch', () =>
    agents.send({ from: 'agent-analyst', to: 'agent-deployer', token: agents.token() }),
  );
  await refused(stage, 'an expired token', 'expired', () => {
    const claims = claimsOf(agents.token());
    const token = agents.forge('agent-coordinator', { ...claims, ...earlier(claims, 200) });
    return agents.send({ from: 'agent-coordinator', to: 'agent-deployer', token });
  });
  await refused(stage, 'a token that was used', 'replayed', async () => {
    const sent = { from: 'agent-coordinator', to: 'agent-deployer', token: parent };
    const first = await agents.send(sent);
    if (first !== 'accepted') throw new Mismatch('accepted the first time', first);
    return agents.send(sent);
  });
}

function thirdHop(agents: DelegatingAgents, parent: string): Promise<string> {
  const child = agents.childOf(parent, {});
  const { aud, client_id: deployer, ...rest } = claimsOf(child);
  const token = agents.forge('agent-validator', {
    ...rest,
    iss: aud,
    client_id: aud,
    aud: deployer,
    act: { sub: aud, act: { sub: deployer } },
    cnf: agents.boundTo('agent-validator'),
    del_depth: 3,
    par_hash: hashOf(child),
  });
  return agents.send({
    from: 'agent-validator',
    to: 'agent-deployer',
    token,
    parents: [child, parent],
  });
}

async function refused(
  stage: Stage,
  title: string,
  expected: string,
  attack: () => Promise<string>,
): Promise<void> {
  await stage.step(
    title,
    async () => {
      const seen = await attack();
      if (seen !== expected) throw new Mismatch(expected, seen);
    },
    () => ({ shown: expected }),
  );
}

function grant(name: string, resource: string): Claims['authorization_details'] {
  return [{ type: GRANT_TYPE, capabilities: [{ name, resources: [resource] }] }];
}

function earlier({ iat, exp }: Claims, seconds: number): Claims {
  return { iat: Number(iat) - seconds, exp: Number(exp) - seconds };
}
