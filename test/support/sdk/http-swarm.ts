/** Agents of a local swarm that call each other over loopback, each found by its name. */

import type { ReplayStore } from '../../../src/domain/token/replay/replay-store.ts';
import { type Agent, loadAgent } from '../../../src/sdk/agent.ts';
import type { ClientOptions } from '../../../src/sdk/http/agent-client.ts';
import type { ServeOptions, Serving } from '../../../src/sdk/http/agent-http.ts';
import type { WebHandler } from '../../../src/sdk/http/web-handler.ts';
import { agedStore } from './aged-store.ts';
import { LocalSwarm, type SwarmOptions } from './agent-folder.ts';

/** How an agent is opened. */
export interface OpenOptions extends ClientOptions {
  /** Default: one in memory that has seen all since an hour before. */
  readonly store?: ReplayStore;
  /** Milliseconds since the Unix epoch; default the clock of this machine. */
  readonly nowMs?: () => number;
}

/** Tries again at once. */
const IMPATIENT = { backOffMs: 1 } as const;

/** The swarm. Has to be closed. */
export class HttpSwarm {
  readonly swarm: LocalSwarm;
  /** Where an agent listens, by its name; a test may send callers somewhere else. */
  readonly ports: Map<string, number> = new Map();
  readonly #agents = new Set<Agent>();

  constructor(options: SwarmOptions = {}) {
    this.swarm = new LocalSwarm(options);
  }

  /** Opens an agent, which is closed with the swarm. */
  async open(
    name: string,
    { store = agedStore(), nowMs = Date.now, ...options }: OpenOptions = {},
  ): Promise<Agent> {
    const connectTo: ClientOptions['connectTo'] = (host, port) => ({
      host: '127.0.0.1',
      port: this.ports.get(host.split('.')[0] ?? '') ?? port,
    });
    const client: ClientOptions = { connectTo, retry: IMPATIENT, ...options };
    const agent = await loadAgent(this.swarm.folder(name), { store, nowMs, client });
    this.#agents.add(agent);
    return agent;
  }

  /** Opens an agent and lets it serve, on a port where the others find it. */
  async serve(name: string, handler: WebHandler, options: ServeOptions & OpenOptions = {}): Promise<Serving> {
    const agent = await this.open(name, options);
    const serving = await agent.serve(handler, { port: 0, host: '127.0.0.1', ...options });
    this.ports.set(name, serving.port);
    return serving;
  }

  /** Publishes what was changed in the swarm, and waits until all agents have read it. */
  async publish(): Promise<void> {
    this.swarm.publish();
    await Promise.all([...this.#agents].map((agent) => agent.reload()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents].map((agent) => agent.close(0)));
    this.swarm.close();
  }
}
