/** The agents of the worked example, loaded from their folders, with a clock that stands still until a test moves it. */

import { readPresentation } from '../../../src/domain/token/verify/presentation.ts';
import type { TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import { type Agent, loadAgent } from '../../../src/sdk/agent.ts';
import type { DelegatedToken, TokenWish } from '../../../src/sdk/delegate.ts';
import type { ParentToken } from '../../../src/sdk/http/agent-core.ts';
import { agedStore } from './aged-store.ts';
import { LocalSwarm, type SwarmOptions } from './agent-folder.ts';
import { presented, tlsPeer } from './presented.ts';

/** Where the deployer is reached. */
export const DEPLOYER_HOST = 'agent-deployer.ai-agents.svc:8443';

/** The agents. Have to be closed. */
export class ExampleAgents {
  readonly swarm: LocalSwarm;
  readonly coordinator: Agent;
  readonly deployer: Agent;
  readonly validator: Agent;
  readonly stranger: Agent;
  readonly #clock: { nowMs: number };

  private constructor(
    swarm: LocalSwarm,
    clock: { nowMs: number },
    agents: readonly [Agent, Agent, Agent, Agent],
  ) {
    this.swarm = swarm;
    this.#clock = clock;
    [this.coordinator, this.deployer, this.validator, this.stranger] = agents;
  }

  static async load(options: SwarmOptions = {}): Promise<ExampleAgents> {
    const clock = { nowMs: Date.now() };
    const nowMs = (): number => clock.nowMs;
    const swarm = new LocalSwarm({ nowMs, ...options });
    const load = (name: string): Promise<Agent> =>
      loadAgent(swarm.folder(name), { nowMs, store: agedStore(nowMs), pollMs: 3_600_000 });
    return new ExampleAgents(swarm, clock, [
      await load('agent-coordinator'),
      await load('agent-deployer'),
      await load('agent-validator'),
      await load('agent-stranger'),
    ]);
  }

  /** Lets time pass. */
  advance(seconds: number): void {
    this.#clock.nowMs += seconds * 1000;
  }

  /** Publishes what was changed, and has every agent read it. */
  async publish(): Promise<void> {
    this.swarm.publish();
    for (const agent of this.#all()) await agent.reload();
  }

  /** A call to the deployer over the coordinator's own TLS. */
  fromCoordinator(token: DelegatedToken): TokenRequest {
    return presented(token, { host: DEPLOYER_HOST, peer: tlsPeer(this.swarm, 'agent-coordinator') });
  }

  /** A call to the validator through sidecars. */
  fromDeployer(token: DelegatedToken): TokenRequest {
    return presented(token, { peer: { kind: 'mesh', spiffeId: this.swarm.id('agent-deployer') } });
  }

  /** The call from coordinator to deployer as the deployer has it: what children are made of. */
  async firstCall(wish: Partial<TokenWish> = {}): Promise<ParentToken> {
    const capabilities = [{ name: 'kubectl_apply' }, { name: 'kubectl_get' }];
    const token = minted(this.coordinator, { to: 'agent-deployer', capabilities, ...wish });
    return await received(this.deployer, this.fromCoordinator(token));
  }

  async close(): Promise<void> {
    for (const agent of this.#all()) await agent.close();
    this.swarm.close();
  }

  #all(): readonly Agent[] {
    return [this.coordinator, this.deployer, this.validator, this.stranger];
  }
}

/** A token. @throws Error that names the refusal. */
export function minted(agent: Agent, wish: TokenWish): DelegatedToken {
  const result = agent.delegate(wish);
  if (result.kind === 'refused') throw new Error(`${result.name}: ${result.message}`);
  return result;
}

/** A call that an agent has accepted. @throws Error that names the refusal. */
export async function received(agent: Agent, request: TokenRequest): Promise<ParentToken> {
  const accepted = await agent.verify(request);
  if (accepted.kind === 'refused') throw new Error(`${accepted.name}: ${accepted.message}`);
  const presentation = readPresentation(request.fields);
  if (presentation.kind === 'refused') throw new Error('not presented');
  return { accepted, token: presentation.leaf, chain: presentation.parents };
}

/** Name of the refusal, or `delegated`. */
export function mintOutcome(agent: Agent, wish: TokenWish): string {
  const result = agent.delegate(wish);
  return result.kind === 'refused' ? result.name : result.kind;
}

/** Name of the refusal, or `accepted`. */
export async function verifyOutcome(agent: Agent, request: TokenRequest): Promise<string> {
  const result = await agent.verify(request);
  return result.kind === 'refused' ? result.name : result.kind;
}
