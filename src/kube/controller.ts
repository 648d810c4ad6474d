/**
 * The loop around a reconcile function: takes a key, runs the function with a time-out, and turns its outcome into what
 * happens to the key next. What the function decides is not known here.
 */

import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../observe/log.ts';
import { silentLog } from '../observe/log.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { ControllerObserver, FinishedReconcile, ReconcileResult } from './controller-observer.ts';
import { judgeFailure } from './failure.ts';
import { logWith } from './log-with.ts';
import type { Key } from './object.ts';
import { splitKey } from './object.ts';
import type { Priority } from './ready-keys.ts';
import type { Timers } from './timers.ts';
import { systemTimers } from './timers.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * What is to happen to a key after a reconcile that could do its work:
 * - `settled`: nothing until something changes;
 * - `recheck`: again at `atMs` (wall clock, milliseconds since the Unix epoch), or earlier if something changes;
 * - `stalled`: the wish cannot be fulfilled; nothing until it changes. `reason` is PascalCase and goes to the log.
 *
 * Each replaces what an earlier outcome had planned for the key.
 */
export type Outcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'recheck'; readonly atMs: number }
  | { readonly kind: 'stalled'; readonly reason: string };

/** What a reconcile gets besides its key. */
export interface ReconcileContext {
  /** Aborted when the time is over or the process must end; hand it to every call. */
  readonly signal: AbortSignal;
  /** Every line carries controller, namespace, name and reconcileID. */
  readonly log: Log;
}

/**
 * Brings the world closer to what the object behind `key` asks for. Idempotent, and never told what changed.
 *
 * A throw means "could not": the key is tried again with back-off, or rarely if the error says that a retry cannot
 * help. A function that ignores its signal keeps its key and its worker.
 */
export type Reconcile = (key: Key, context: ReconcileContext) => Promise<Outcome>;

/** Everything but `name`, `reconcile` and `listKeys` has a default. */
export interface ControllerOptions {
  /** Goes into log lines. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Every key there is work for, read once when the caches are in sync; they run in the background class. */
  readonly listKeys: () => Iterable<Key>;
  /** What must resolve before the first key runs: the first lists of the caches. */
  readonly synced?: readonly (() => Promise<unknown>)[];
  /** Keys in flight at once. Default 1. */
  readonly workers?: number;
  /** Time-out of one reconcile. Default 2 min. */
  readonly timeoutMs?: number;
  /** After what time a key is tried again whose error says that a retry cannot help. Default 10 min. */
  readonly terminalRetryMs?: number;
  /** A queue of its own. Default: one with default options. */
  readonly queue?: WorkQueue;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly log?: Log;
  readonly observer?: ControllerObserver;
}

/** When and how urgently a key runs. */
export interface EnqueueOptions {
  /** Default `normal`. */
  readonly priority?: Priority;
  /** Default 0. */
  readonly delayMs?: number;
}

interface Run {
  readonly key: Key;
  readonly abort: AbortController;
  readonly log: Log;
  timedOut: boolean;
}

type Ending = Pick<FinishedReconcile, 'result' | 'failure'>;

/** Reconciles that wait for nothing may take so long together before answers, watches and timers get their turn. */
const TURN_MS = 1;
/** How long reconciles have to end after they were told to at shutdown. */
const ABORT_GRACE_MS = 1000;

/**
 * One controller: a queue and its workers. Used once: `start`, then `stop`.
 *
 * Before `start` keys are not kept, so that a replica that waits for weeks to lead holds nothing; `listKeys` makes up
 * for it.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: Log;
  readonly #queue: WorkQueue;
  readonly #runs = new Set<Run>();
  readonly #stopped = Promise.withResolvers<void>();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #turnStartedMs = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#log = logWith(options.log ?? silentLog, { controller: options.name });
    this.#queue = options.queue ?? new WorkQueue();
  }

  /**
   * Waits for the caches, then enqueues every key and starts the workers.
   *
   * @param signal ends everything at once when aborted: nothing starts any more, and what runs is told to end.
   * @throws what a function of `synced` or `listKeys` throws; nothing runs then.
   */
  async start(signal: AbortSignal): Promise<void> {
    const halt = (): void => this.#halt();
    signal.addEventListener('abort', halt, { once: true });
    void this.#stopped.promise.then(() => signal.removeEventListener('abort', halt));
    if (signal.aborted) this.#halt();
    await Promise.race([
      Promise.all((this.#options.synced ?? []).map((sync) => sync())),
      this.#stopped.promise,
    ]);
    if (this.#state !== 'new') return;
    this.#state = 'started';
    for (const key of this.#options.listKeys()) this.#queue.add(key, 'background');
    const { workers = 1, observer } = this.#options;
    observer?.attach(workers);
    // A worker never rejects; if it does, that is a bug and the last-resort handler ends the process.
    for (let i = 0; i < workers; i++) void this.#work();
  }

  /**
   * Takes no further key, waits `drainMs` for those in flight, then tells them to end and waits one more second.
   *
   * @returns how many are still in flight; above 0 something may still write.
   */
  async stop(drainMs: number): Promise<number> {
    this.#close();
    if ((await this.#queue.shutDownWithDrain(drainMs)) === 0) return 0;
    this.#halt();
    return this.#queue.shutDownWithDrain(ABORT_GRACE_MS);
  }

  /** Asks for a reconcile of a key. Without effect before `start` and after `stop`. */
  enqueue(key: Key, { priority = 'normal', delayMs = 0 }: EnqueueOptions = {}): void {
    if (this.#state !== 'started') return;
    if (delayMs > 0) this.#queue.addAfter(key, delayMs, priority);
    else this.#queue.add(key, priority);
  }

  /** How long the oldest reconcile in flight has been running, seconds; 0 when none is. For the health check. */
  longestRunningSeconds(): number {
    return this.#queue.gauges().longestRunningSeconds;
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      await this.#process(key);
      this.#queue.done(key);
      await this.#giveWay();
    }
  }

  /** Without it a thousand keys that need nothing but a look would hold up everything else in the process. */
  async #giveWay(): Promise<void> {
    while (this.#clock.monotonicMs() - this.#turnStartedMs >= TURN_MS) {
      const before = this.#turnStartedMs;
      await nextTurn();
      // The first worker that goes on begins the turn; the others share what is left of it.
      if (this.#turnStartedMs === before) this.#turnStartedMs = this.#clock.monotonicMs();
    }
  }

  async #process(key: Key): Promise<void> {
    const { observer } = this.#options;
    const startedMs = this.#clock.monotonicMs();
    observer?.reconcileStarted();
    const run = this.#newRun(key);
    const cancel = this.#timers.after(this.#options.timeoutMs ?? 120_000, () => {
      run.timedOut = true;
      run.abort.abort(new DOMException('the time of this reconcile is over', 'TimeoutError'));
    });
    const ending = await this.#run(run);
    cancel();
    this.#runs.delete(run);
    observer?.reconcileFinished({ ...ending, seconds: (this.#clock.monotonicMs() - startedMs) / 1000 });
  }

  #newRun(key: Key): Run {
    const log = logWith(this.#log, { ...splitKey(key), reconcileID: randomUUID() });
    const run: Run = { key, abort: new AbortController(), log, timedOut: false };
    this.#runs.add(run);
    return run;
  }

  async #run(run: Run): Promise<Ending> {
    try {
      const outcome = await this.#options.reconcile(run.key, { signal: run.abort.signal, log: run.log });
      return { result: this.#follow(run, outcome), failure: undefined };
    } catch (error) {
      return this.#recover(run, error);
    }
  }

  #follow({ key, log }: Run, outcome: Outcome): ReconcileResult {
    this.#queue.forget(key);
    if (outcome.kind === 'recheck') {
      if (Number.isNaN(outcome.atMs)) throw new TypeError('a recheck needs an instant');
      this.#queue.addAt(key, outcome.atMs);
      return 'requeue_after';
    }
    this.#queue.cancelAt(key);
    if (outcome.kind === 'settled') return 'success';
    log.info({ reason: outcome.reason }, 'stalled until something changes');
    return 'stalled';
  }

  #recover({ key, abort, log, timedOut }: Run, error: unknown): Ending {
    if (abort.signal.aborted && !timedOut) {
      log.debug({}, 'reconcile ended by shutdown');
      return { result: 'requeue', failure: undefined };
    }
    const { kind, retryAfterMs, fields } = judgeFailure(error, timedOut);
    const retryInMs = Math.round(
      kind === 'terminal' ? this.#retryRarely(key) : this.#queue.retry(key, retryAfterMs),
    );
    if (kind === 'race') {
      log.debug({ ...fields, retryInMs }, 'reconcile overtaken');
      return { result: 'requeue', failure: kind };
    }
    log.error({ ...fields, kind, retryInMs }, 'reconcile failed');
    return { result: 'error', failure: kind };
  }

  #retryRarely(key: Key): number {
    const { terminalRetryMs = 600_000 } = this.#options;
    this.#queue.forget(key);
    this.#queue.addAfter(key, terminalRetryMs, 'background');
    return terminalRetryMs;
  }

  #close(): void {
    this.#state = 'stopped';
    this.#stopped.resolve();
    this.#queue.shutDown();
  }

  #halt(): void {
    this.#close();
    for (const { abort } of this.#runs) abort.abort(new DOMException('the process is ending', 'AbortError'));
  }
}
