/** Requests without pause that the webhook must allow, and others that it must refuse, and what became of each. */

import type { ApiServer, Received } from './admission/api-server.ts';
import { eventually } from './eventually.ts';

/**
 * `right`: as the rules want it; `unreachable`: the API server got no answer of the webhook, and refused; `wrong`:
 * anything else, above all an illegal request that was let in.
 */
export type Verdict = 'right' | 'unreachable' | 'wrong';

/** One request that is over. Instants on the clock of `performance`. */
export interface Reviewed {
  readonly verdict: Verdict;
  readonly beganMs: number;
  readonly endedMs: number;
  /** What the API server said, when it was not right. */
  readonly text: string;
}

/** What to ask. */
export interface LoadOptions {
  readonly server: ApiServer;
  readonly namespace: string;
  /** A DelegationPolicy's spec that is to be allowed, and one that is not. */
  readonly legal: object;
  readonly illegal: object;
  /** Part of the refusal of the illegal one. */
  readonly because: string;
}

/** Requests at the same time. */
const WORKERS = 6;

/** Load that goes on until it is stopped. Nothing of it is stored: every request is a dry run. */
export class ReviewLoad {
  readonly #options: LoadOptions;
  readonly #reviewed: Reviewed[] = [];
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#running = Promise.all(Array.from({ length: WORKERS }, (_none, worker) => this.#work(worker)));
  }

  /** Everything that is over, in the order in which it ended. */
  get reviewed(): readonly Reviewed[] {
    return this.#reviewed;
  }

  /** Resolves when so many requests that began from now on have come out right. */
  async goesOn(count = 60): Promise<void> {
    const fromMs = performance.now();
    await eventually(
      `${count} reviews to come out right`,
      () =>
        this.#reviewed.filter((each) => each.verdict === 'right' && each.beganMs >= fromMs).length >= count,
    );
  }

  /** Ends it; resolves with everything that was asked. */
  async stop(): Promise<readonly Reviewed[]> {
    this.#isStopped = true;
    await this.#running;
    return this.#reviewed;
  }

  async #work(worker: number): Promise<void> {
    for (let round = 0; !this.#isStopped; round++) {
      const isLegal = (worker + round) % 2 === 0;
      const beganMs = performance.now();
      const received = await this.#ask(isLegal);
      const verdict = this.#judge(isLegal, received);
      const text = verdict === 'right' ? '' : JSON.stringify(received.body);
      this.#reviewed.push({ verdict, beganMs, endedMs: performance.now(), text });
    }
  }

  #ask(isLegal: boolean): Promise<Received> {
    const { server, namespace, legal, illegal } = this.#options;
    return server.ask({
      method: 'POST',
      path: `/apis/agenttrust.dev/v1alpha1/namespaces/${namespace}/delegationpolicies`,
      query: { dryRun: 'All' },
      body: {
        apiVersion: 'agenttrust.dev/v1alpha1',
        kind: 'DelegationPolicy',
        metadata: { generateName: 'load-' },
        spec: isLegal ? legal : illegal,
      },
    });
  }

  #judge(isLegal: boolean, { status, body }: Received): Verdict {
    const { message = '' } = body as { readonly message?: string };
    if (isLegal ? status === 201 : status === 403 && message.includes(this.#options.because)) return 'right';
    return status === 500 && message.includes('failed calling webhook') ? 'unreachable' : 'wrong';
  }
}

/** The texts of all with a verdict, each once. */
export function textsOf(reviewed: readonly Reviewed[], verdict: Verdict): readonly string[] {
  return [...new Set(reviewed.filter((each) => each.verdict === verdict).map(({ text }) => text))];
}
