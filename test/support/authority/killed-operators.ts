/** Two operators, one of which leads: the older one is killed and started again, at any moment. */

import type { OperatorProcess } from '../../../hack/operator/operator-process.ts';
import { eventually } from '../eventually.ts';

/** How often, and after how long. */
export interface Kills {
  readonly count: number;
  /** Between two kills there are up to so many milliseconds, and as many as a start takes. */
  readonly withinMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** The older one leads, or will as soon as the Lease of one that was killed is over. */
export class KilledOperators {
  readonly #start: () => Promise<OperatorProcess>;
  #running: readonly Promise<OperatorProcess>[] = [];

  constructor(start: () => Promise<OperatorProcess>) {
    this.#start = start;
  }

  /** Starts both, one after the other. */
  async start(): Promise<void> {
    for (const _ of [1, 2]) {
      this.#running = [...this.#running, this.#run()];
      await this.#running.at(-1);
    }
  }

  /** Kills as often as is said, the older one each time. Resolves after the last one. */
  async kill({ count, withinMs, random }: Kills): Promise<void> {
    for (let kills = 0; kills < count; kills++) {
      await this.#running.at(-1);
      const atMs = performance.now() + random() * withinMs;
      await eventually('the next kill', () => performance.now() >= atMs, { timeoutMs: 2 * withinMs + 1000 });
      const [older, newer] = this.#running;
      if (older === undefined || newer === undefined) throw new Error('there are not two operators');
      // It is not to be started again as one that ends by itself.
      this.#running = [newer];
      await (await older).kill();
      this.#running = [...this.#running, this.#run()];
    }
  }

  /** Starts one. As a kubelet would, another one when it ends by itself: a machine that stands still costs it its Lease. */
  #run(): Promise<OperatorProcess> {
    const started = this.#start();
    const startAgain = async (): Promise<void> => {
      await (await started).exited();
      if (!this.#running.includes(started)) return;
      this.#running = [...this.#running.filter((each) => each !== started), this.#run()];
    };
    // A start that fails is awaited before the next kill; after the last one nobody waits for it.
    startAgain().catch(() => {});
    return started;
  }
}
