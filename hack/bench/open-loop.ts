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
  /** For so long it is asked over the same connections before anything counts. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Called when it begins to count. */
  readonly onWarm: () => void;
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
  const { port, ca, servername, connections, warmUpSeconds, seconds, onWarm } = options;
  // Connections are made once: API servers keep theirs, and a handshake costs a server as much as several reviews.
  const pool = new Pool(`https://127.0.0.1:${port}`, { connections, connect: { ca, servername } });
  try {
    await askFor(warmUpSeconds, pool, options);
    onWarm();
    return await askFor(seconds, pool, options);
  } finally {
    await pool.close();
  }
}

async function askFor(
  seconds: number,
  pool: Pool,
  { ratePerSecond, request }: OpenLoopOptions,
): Promise<OpenLoopResult> {
  const latenciesMs: number[] = [];
  const count = Math.round(ratePerSecond * seconds);
  const startedMs = performance.now();
  const running: Promise<void>[] = [];
  while (running.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedMs) / 1000) * ratePerSecond) + 1);
    while (running.length < due) running.push(ask(pool, request(running.length), latenciesMs));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  return { latenciesMs, answersPerSecond: count / ((performance.now() - startedMs) / 1000) };
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
