/** The agent as its author sees it: what `agent-trust/sdk` gives. */

import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Refusal } from '../domain/token/refusal.ts';
import { MemoryReplayStore } from '../domain/token/replay/memory-store.ts';
import type { ReplayStore } from '../domain/token/replay/replay-store.ts';
import type { TokenRefusal } from '../domain/token/verify/examine.ts';
import type { TokenRequest } from '../domain/token/verify/verifier.ts';
import type { Accepted } from '../domain/token/verify/verify.ts';
import type { DelegatedToken, TokenWish } from './delegate.ts';
import { AgentDirectory, type DirectoryOptions } from './files/agent-directory.ts';
import type { AgentFiles } from './files/agent-files.ts';
import type { FileProblem } from './files/file-problem.ts';
import type { ClientOptions } from './http/agent-client.ts';
import { AgentHttp, type ServeOptions, type ServerOptions, type Serving } from './http/agent-http.ts';
import type { RequestListener } from './http/agent-server.ts';
import type { GuardOptions } from './http/guard.ts';
import type { Middleware } from './http/middleware.ts';
import type { CallInit } from './http/outgoing-request.ts';
import type { WebHandler } from './http/web-handler.ts';
import { loadFailure } from './load-failed.ts';
import { MountedAgent } from './mounted-agent.ts';
import { printableFiles } from './printable-files.ts';

/** Everything has a default. */
export interface AgentOptions extends DirectoryOptions {
  /**
   * Where used tokens are remembered. Default: in this process, which is right while one pod of the agent runs. `none` for
   * an agent that only calls others.
   */
  readonly store?: ReplayStore | 'none';
  /** How many tokens and parents the default store holds, of which one caller has a quarter; default 200,000 (28 MB). */
  readonly replayCapacity?: number;
  /** Origins under which the agent is reached beside its names in the cluster, as `https://agents.example.org`. */
  readonly origins?: readonly string[];
  /** Told of each problem with the files: as a rule something for an alarm. Default: a warning of the process. */
  readonly onProblem?: (problem: FileProblem) => void;
  /** How connections to other agents are made and calls repeated. */
  readonly client?: ClientOptions;
}

const DEFAULT_DIR = '/var/run/agent-trust';
const REPLAY_CAPACITY = 200_000;

/**
 * Loads the agent whose files lie in a folder, and keeps up with them from then on.
 *
 * @param dir Default AGENT_TRUST_DIR, or else `/var/run/agent-trust`.
 * @throws LoadFailed with a code, the file, and what to do: when identity, key or bundle cannot be used, and when the store is
 *   not one that policy.json allows.
 */
export async function loadAgent(
  dir: string = process.env['AGENT_TRUST_DIR'] ?? DEFAULT_DIR,
  options: AgentOptions = {},
): Promise<Agent> {
  const directory = await AgentDirectory.open(dir, options);
  try {
    const [problem] = directory.problems;
    if (directory.current.bundle === undefined && problem !== undefined) throw loadFailure(problem);
    const { nowMs = Date.now, origins = [], onProblem = warn } = options;
    const isStoreDefault = options.store === undefined || options.store === null;
    const store = storeOf(options, nowMs);
    const core = new MountedAgent(directory, { store, isStoreDefault, origins, nowMs });
    directory.onProblem(onProblem);
    for (const each of directory.problems) onProblem(each);
    return new Agent(core, directory, options.client);
  } catch (error) {
    directory.close();
    throw error;
  }
}

/** An agent. Has to be closed. */
export class Agent {
  readonly #core: MountedAgent;
  readonly #directory: AgentDirectory;
  readonly #http: AgentHttp;

  /** @param directory Closed with the agent. */
  constructor(core: MountedAgent, directory: AgentDirectory, client: ClientOptions = {}) {
    this.#core = core;
    this.#directory = directory;
    this.#http = new AgentHttp(core, client);
  }

  /** SPIFFE ID. */
  get id(): string {
    return this.#core.current.identity;
  }

  /** `<namespace>/<name of its AgentIdentity>`. */
  get name(): string {
    return this.#core.name;
  }

  /** The files of this moment: certificate, key, roots, bundle. The private key is in it, but is not printed with it. */
  get current(): AgentFiles {
    return printableFiles(this.#core.current);
  }

  /** What is wrong with the files now; what counts nevertheless is in `current`. */
  get problems(): readonly FileProblem[] {
    return this.#directory.problems;
  }

  /** Calls the listener after `current` was replaced, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    return this.#core.onChange(listener);
  }

  /** Makes a token, for whoever does not call over {@link fetch}. A refusal has the name that the audience would give. */
  delegate(wish: TokenWish): DelegatedToken | Refusal {
    return this.#core.delegate(wish);
  }

  /** Verifies a request and uses its token, for whoever has a server of another kind. Errors: none. */
  verify(request: TokenRequest): Promise<Accepted | TokenRefusal> {
    return this.#core.verify(request);
  }

  /**
   * Calls another agent for this agent itself, over mutual TLS and with a token of its own.
   *
   * @param url https; its host names the agent.
   * @throws CallFailed
   */
  fetch(url: string | URL, init: CallInit): Promise<Response> {
    return this.#http.fetch(url, init);
  }

  /** Is called: listens, and hands on what is allowed. Rejects when the address cannot be taken. */
  serve(handler: WebHandler, options: ServeOptions = {}): Promise<Serving> {
    return this.#http.serve(handler, options);
  }

  /** A server of node:http or node:https that does not listen yet. It gets only what is allowed. */
  createServer(listener: RequestListener, options: ServerOptions = {}): HttpServer | HttpsServer {
    return this.#http.createServer(listener, options);
  }

  /** For Connect, Express and whatever else has a server of its own. */
  middleware(options: GuardOptions = {}): Middleware {
    return this.#http.middleware(options);
  }

  /** Reads what was written into the folder until now; it is read anyway, a moment later. Errors: none. */
  reload(): Promise<void> {
    return this.#directory.reload();
  }

  /**
   * Ends servers and calls, and lets the files be.
   *
   * @param graceMs After which connections are broken off.
   */
  async close(graceMs?: number): Promise<void> {
    try {
      await this.#http.close(graceMs);
    } finally {
      this.#directory.close();
    }
  }
}

function storeOf(
  { store, replayCapacity = REPLAY_CAPACITY }: AgentOptions,
  nowMs: () => number,
): ReplayStore | undefined {
  if (store === 'none') return undefined;
  return store ?? new MemoryReplayStore({ capacity: replayCapacity, now: () => nowMs() / 1000 });
}

function warn({ code, message }: FileProblem): void {
  process.emitWarning(message, { type: 'AgentTrustWarning', code });
}
