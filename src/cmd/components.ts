/** Parts of the process that are not of the runtime layer: what they do at start and at the end. */

import type { IssuanceLedger } from '../controllers/ledger/ledger.ts';
import type { Component } from '../kube/lifecycle.ts';
import type { Transport } from '../kube/transport.ts';
import type { Log } from '../observe/log.ts';

/** What is needed of a cache. */
export interface RunningCache {
  readonly state: 'starting' | 'synced' | 'refused';
  start(signal: AbortSignal): Promise<void>;
  onStateChange(listener: () => void): () => void;
}

const TRIM_INTERVAL_MS = 10 * 60_000;

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

/** The ledger: taken over from the leader before, and trimmed now and then. */
export function ledgerComponent(
  ledger: Pick<IssuanceLedger, 'takeOver' | 'trim' | 'lost'>,
  { nowMs, log }: { readonly nowMs: () => number; readonly log: Log },
): Component {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'ledger',
    async start({ signal, fail }) {
      void ledger.lost.then(fail);
      await ledger.takeOver(signal);
      timer = setInterval(() => {
        ledger
          .trim(nowMs())
          .catch((error: Error) => log.warn({ error: error.message }, 'ledger was not trimmed'));
      }, TRIM_INTERVAL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      return true;
    },
  };
}

async function hasAnswered(cache: RunningCache): Promise<void> {
  if (cache.state !== 'starting') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const forget = cache.onStateChange(resolve);
  await promise;
  forget();
}
