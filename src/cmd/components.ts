/** Parts of the process that are not of the runtime layer: what they do at start and at the end. */

import type { IssuanceLedger } from '../controllers/ledger/ledger.ts';
import { judgeFailure } from '../kube/failure.ts';
import type { Component } from '../kube/lifecycle.ts';
import type { Transport } from '../kube/transport.ts';
import { systemWait, type Wait } from '../kube/wait.ts';
import type { Log } from '../observe/log.ts';

/** What is needed of a cache. */
export interface RunningCache {
  readonly state: 'starting' | 'synced' | 'refused';
  start(signal: AbortSignal): Promise<void>;
  onStateChange(listener: () => void): () => void;
}

const TRIM_INTERVAL_MS = 10 * 60_000;
const MEND_INTERVAL_MS = 30_000;
const TAKE_OVER_RETRY_MS = 1_000;

/** Connections; they end last. */
export function transportComponent(transport: Pick<Transport, 'close'>): Component {
  return {
    name: 'transport',
    async start() {},
    async stop() {
      await transport.close();
      return true;
    },
  };
}

/** Caches; the next component starts when each has listed once or was refused. */
export function cachesComponent(name: string, caches: readonly RunningCache[]): Component {
  const abort = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  return {
    name,
    async start({ signal }) {
      const answered = caches.map((cache) => hasAnswered(cache));
      running = Promise.all(caches.map((cache) => cache.start(AbortSignal.any([signal, abort.signal]))));
      await Promise.race([Promise.all(answered), running]);
    },
    async stop() {
      abort.abort();
      await running;
      return true;
    },
  };
}

/** What the ledger's component needs beside the ledger. */
export interface LedgerOptions {
  /** What ended before this has ended for sure. */
  readonly surelyPastMs: () => number;
  readonly log: Log;
  readonly wait?: Wait;
}

/** The ledger: taken over from the leader before, put back where somebody altered it, and trimmed now and then. */
export function ledgerComponent(
  ledger: Pick<IssuanceLedger, 'takeOver' | 'trim' | 'mend' | 'lost'>,
  { surelyPastMs, log, wait = systemWait }: LedgerOptions,
): Component {
  const abort = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const mend = async (): Promise<void> => {
    try {
      const ledgers = await ledger.mend();
      if (ledgers.length > 0) log.warn({ ledgers }, 'ledgers were altered and are put back');
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'ledgers could not be looked at');
    }
  };
  return {
    name: 'ledger',
    async start({ signal, fail }) {
      void ledger.lost.then(fail);
      await retried((until) => ledger.takeOver(until), {
        what: 'the ledger could not be taken over yet',
        log,
        wait,
        signal: AbortSignal.any([signal, abort.signal]),
      });
      const trim = (): Promise<void> =>
        ledger
          .trim(surelyPastMs())
          .catch((error: Error) => log.warn({ error: error.message }, 'ledger was not trimmed'));
      timers.push(setInterval(trim, TRIM_INTERVAL_MS), setInterval(mend, MEND_INTERVAL_MS));
      for (const timer of timers) timer.unref();
    },
    async stop() {
      abort.abort();
      for (const timer of timers) clearInterval(timer);
      return true;
    },
  };
}

/** Something that must be done once before the next component starts; the end of the process ends it as well. */
export function untilDone(name: string, work: (signal: AbortSignal) => Promise<void>, log: Log): Component {
  const abort = new AbortController();
  return {
    name,
    start: ({ signal }) =>
      retried(work, {
        what: `${name} could not be read yet`,
        log,
        wait: systemWait,
        signal: AbortSignal.any([signal, abort.signal]),
      }),
    async stop() {
      abort.abort();
      return true;
    },
  };
}

interface Retrying {
  /** What is logged after each failure. */
  readonly what: string;
  readonly log: Log;
  readonly wait: Wait;
  readonly signal: AbortSignal;
}

/** Tries until it works or `signal` ends it: an API server that is away for a while must not end the process. */
async function retried(
  work: (signal: AbortSignal) => Promise<void>,
  { what, log, wait, signal }: Retrying,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work(signal);
    } catch (error) {
      if (signal.aborted) return;
      const { kind, fields } = judgeFailure(error, false);
      if (kind === 'terminal' || kind === 'bug') throw error;
      log.warn(fields, what);
      await wait(TAKE_OVER_RETRY_MS, signal);
    }
  }
}

async function hasAnswered(cache: RunningCache): Promise<void> {
  if (cache.state !== 'starting') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const forget = cache.onStateChange(resolve);
  await promise;
  forget();
}
