/** Requests at a steady rate, whether those before are answered or not, as many clients together make them. */

import { Pool } from 'undici';

/** Whom to ask, what and how often. */
export interface OpenLoopOptions {
  /** On the loopback interface. */
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly servername: string;
  /** An API server keeps 25. */
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** The request of that number. */
  readonly request: (index: number) => OpenLoopRequest;
}

/** One request. */
export interface OpenLoopRequest {
  readonly path: string;
  readonly body: string;
  /** @throws when the answer is wrong. */
  readonly check: (answer: string) => void;
}

/** What came of it. */
export interface OpenLoopResult {
  /** Milliseconds from the moment a request was due until its answer was there. */
  readonly latenciesMs: readonly number[];
  readonly answersPerSecond: number;
}

/** Asks. @throws when an answer is wrong or does not come. */
export async function openLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { port, ca, servername, connections, ratePerSecond, seconds } = options;
  const pool = new Pool(`https://127.0.0.1:${port}`, { connections, connect: { ca, servername } });
  const latenciesMs: number[] = [];
  const count = Math.round(ratePerSecond * seconds);
  try {
    const startedMs = performance.now();
    const running: Promise<void>[] = [];
    while (running.length < count) {
      const due = Math.min(count, Math.floor(((performance.now() - startedMs) / 1000) * ratePerSecond) + 1);
      while (running.length < due) running.push(ask(pool, options.request(running.length), latenciesMs));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(running);
    return { latenciesMs, answersPerSecond: count / ((performance.now() - startedMs) / 1000) };
  } finally {
    await pool.close();
  }
}

async function ask(pool: Pool, { path, body, check }: OpenLoopRequest, latenciesMs: number[]): Promise<void> {
  const beganMs = performance.now();
  const answer = await pool.request({
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const text = await answer.body.text();
  latenciesMs.push(performance.now() - beganMs);
  check(text);
}
