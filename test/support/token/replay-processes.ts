/** Several processes that present tokens at the same time. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Consumption } from '../../../src/domain/token/replay/replay-store.ts';
import { eventually } from '../eventually.ts';
import type { RedisServer } from '../redis-server.ts';
import { useOf } from './replay-uses.ts';

const SCRIPT = fileURLToPath(new URL('./replay-process.ts', import.meta.url));

/** Has to be stopped. */
export class ReplayProcesses {
  readonly #children: readonly ChildProcess[];
  #asked = 0;

  constructor(count: number, { port }: RedisServer, prefix: string) {
    this.#children = Array.from({ length: count }, () =>
      fork(SCRIPT, [`${port}`, prefix], {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
  }

  /** Resolves when all are connected: until then they refuse. */
  async ready(): Promise<void> {
    const ended = useOf(0);
    await eventually('the processes to be connected', async () => {
      const outcomes = await this.present(this.#children.map(() => ended));
      return outcomes.every((outcome) => outcome === 'replay_unknown');
    });
  }

  /** Presents uses at once, spread over the processes. */
  async present(uses: readonly Consumption[]): Promise<readonly string[]> {
    const answers = this.#children.map((child, index) =>
      this.#ask(
        child,
        uses.filter((_, at) => at % this.#children.length === index),
      ),
    );
    return (await Promise.all(answers)).flat();
  }

  async stop(): Promise<void> {
    const exits = this.#children.map((child) => once(child, 'exit'));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(exits);
  }

  async #ask(child: ChildProcess, uses: readonly Consumption[]): Promise<readonly string[]> {
    this.#asked++;
    const id = this.#asked;
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    const listen = (answer: { readonly id: number; readonly outcomes: readonly string[] }): void => {
      if (answer.id !== id) return;
      child.off('message', listen);
      resolve(answer.outcomes);
    };
    child.on('message', listen);
    child.send({ id, uses });
    return promise;
  }
}
