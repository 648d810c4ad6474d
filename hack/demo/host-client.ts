/** The demo's side of its background process; see host.ts. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../control-plane/command-error.ts';
import { identify, type ProcessIdentity } from '../control-plane/process-identity.ts';

/** What the background process can be told. */
export type HostOrder =
  | { readonly order: 'start operator'; readonly flags: readonly string[] }
  | { readonly order: 'start webhook'; readonly flags: readonly string[] }
  | { readonly order: 'stay' };

/** What it says; one answer to each order, and `open` by itself. */
export type HostAnswer =
  | { readonly answer: 'open'; readonly kubeconfigPath: string }
  | { readonly answer: 'operator'; readonly url: string }
  | { readonly answer: 'webhook' }
  | { readonly answer: 'staying' }
  | { readonly answer: 'failed'; readonly message: string };

type AnswerOf<Kind extends HostAnswer['answer']> = Extract<HostAnswer, { answer: Kind }>;

/** Where it runs and with what. */
export interface HostOptions {
  /** `local`: it starts a control plane in the folder. `context`: `admin.kubeconfig` in the folder says which cluster. */
  readonly mode: 'local' | 'context';
  readonly directory: string;
  /** Folder of the programs, as `ensureTools` gave it. */
  readonly toolsDirectory: string;
}

const END_TIMEOUT_MS = 20_000;

/** The background process. */
export class Host {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #said = '';

  constructor({ mode, directory, toolsDirectory }: HostOptions) {
    this.#child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), [mode, directory], {
      // its own session: Ctrl-C in the terminal must not reach it before the demo has cleaned up
      detached: true,
      env: { ...process.env, AGENT_TRUST_TOOLS: toolsDirectory },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** Names it for another process; undefined once it has ended. */
  get identity(): ProcessIdentity | undefined {
    return identify(this.#child.pid ?? 0);
  }

  /** Resolves when the cluster can be used; with the kubeconfig of its administrator. */
  async open(): Promise<string> {
    return (await this.#answer('open')).kubeconfigPath;
  }

  /** Starts the operator with these flags; resolves with the root of its /metrics when it listens. */
  async startOperator(flags: readonly string[]): Promise<string> {
    return (await this.#ask({ order: 'start operator', flags }, 'operator')).url;
  }

  /** Starts the webhook with these flags; resolves when the API server can ask it. Only where the host has the API server. */
  async startWebhook(flags: readonly string[]): Promise<void> {
    await this.#ask({ order: 'start webhook', flags }, 'webhook');
  }

  /** From here it goes on when this process ends. */
  async stay(): Promise<void> {
    await this.#ask({ order: 'stay' }, 'staying');
    this.#child.disconnect();
    this.#child.stderr?.destroy();
    this.#child.unref();
  }

  /** Ends it, and with it all that it holds. May be called more than once. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Tells it to end without waiting. */
  endNow(): void {
    this.#child.kill('SIGTERM');
  }

  #ask<Kind extends HostAnswer['answer']>(order: HostOrder, kind: Kind): Promise<AnswerOf<Kind>> {
    this.#child.send(order);
    return this.#answer(kind);
  }

  async #answer<Kind extends HostAnswer['answer']>(kind: Kind): Promise<AnswerOf<Kind>> {
    const { promise, resolve } = Promise.withResolvers<HostAnswer>();
    this.#child.once('message', resolve);
    const answer = await Promise.race([promise, this.#exited]);
    this.#child.off('message', resolve);
    if (answer === undefined)
      throw new CommandError('HOST_ENDED', `the background process has ended: ${this.#said}`);
    if (answer.answer === 'failed') throw new CommandError('HOST_FAILED', answer.message);
    if (answer.answer !== kind)
      throw new Error(`the background process answered ${answer.answer}, not ${kind}`);
    return answer as AnswerOf<Kind>;
  }
}
