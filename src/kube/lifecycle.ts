/**
 * The life of a process: what starts in which order, what a signal sets off, and with which code it ends. The only
 * place that ends the process.
 */

import type { Log, LogFields } from '../observe/log.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { fieldsOf } from './failure.ts';
import type { HealthCheck } from './health.ts';
import type { Timers } from './timers.ts';
import { persistentTimers } from './timers.ts';

/** Given to a component that starts. */
export interface StartContext {
  /** Aborted when the process ends at once: whatever runs must not write any more. */
  readonly signal: AbortSignal;
  /** Ends the process at once with code 1; for what cannot be mended in place, such as a lost lease. */
  fail(reason: string): void;
}

/** Given to a component that stops. */
export interface StopContext {
  /** What is left of the grace for work that is under way, milliseconds; 0 when it is used up. */
  readonly graceMs: number;
  /** False when something that stopped before did not come to an end and may still write. */
  readonly clean: boolean;
}

/** A part of the process. */
export interface Component {
  /** For log lines. */
  readonly name: string;
  /** Resolves when the next component may start; a rejection ends the process with code 1. */
  start(context: StartContext): Promise<void>;
  /** Works also while `start` is under way. Resolves with whether everything of this component has ended. */
  stop(context: StopContext): Promise<boolean>;
}

/** What the lifecycle needs of Node's `process`. */
export interface ProcessPort {
  /** Calls `listener` at each signal. Returns a function that takes it back. */
  onSignal(signal: 'SIGTERM' | 'SIGINT', listener: () => void): () => void;
  /** Calls `listener` with what nobody caught. Returns a function that takes it back. */
  onUncaught(listener: (error: unknown) => void): () => void;
  exit(code: number): void;
}

/** Everything but the components and the log has a default. */
export interface LifecycleOptions {
  /** In the order of their start; they stop in the reverse order. */
  readonly components: readonly Component[];
  readonly log: Log;
  /** Writes out what the log has buffered. */
  readonly flushLog?: () => Promise<void>;
  /** For work that is under way at SIGTERM. Default 30 s; the pod's own grace must be 15 s longer. */
  readonly graceMs?: number;
  readonly process?: ProcessPort;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** Beyond the grace: for events, lease and servers. */
const STOP_MARGIN_MS = 15_000;

const FLUSH_LOG_MS = 1000;

/** Node's own process. */
const systemProcess: ProcessPort = {
  onSignal(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
  onUncaught(listener) {
    process.on('uncaughtException', listener);
    process.on('unhandledRejection', listener);
    return () => {
      process.off('uncaughtException', listener);
      process.off('unhandledRejection', listener);
    };
  },
  exit: (code) => process.exit(code),
};

/**
 * One process. `run` once.
 *
 * Flow: components start in order. SIGTERM or SIGINT: not ready; components stop in the reverse order; log flushed;
 * exit 0, or 1 when something did not end. A failure, an error that nobody caught, a second signal, or a stop that
 * takes too long: log flushed, exit 1, nothing else.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #begun: Component[] = [];
  readonly #halt = new AbortController();
  readonly #stop = Promise.withResolvers<void>();
  readonly #crash = Promise.withResolvers<number>();
  #isStopping = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? persistentTimers;
  }

  /** For /readyz: fails from the moment the process is told to end. */
  readonly stoppingCheck: HealthCheck = () => (this.#isStopping ? 'shutting down' : undefined);

  /**
   * Lives until the process is told to end, and then ends it.
   *
   * @returns the exit code, for a `ProcessPort` whose `exit` returns.
   */
  async run(): Promise<number> {
    const unlisten = this.#listen();
    const code = await Promise.race([this.#live(), this.#crash.promise]);
    await this.#flushLog();
    unlisten();
    (this.#options.process ?? systemProcess).exit(code);
    return code;
  }

  async #live(): Promise<number> {
    for (const component of this.#options.components) await this.#startOne(component);
    await this.#stop.promise;
    const cancel = this.#timers.after(this.#graceMs + STOP_MARGIN_MS, () => {
      this.#end({}, 'shutdown took too long');
    });
    const clean = await this.#stopAll();
    cancel();
    this.#options.log.info({ clean }, 'shutdown complete');
    return clean ? 0 : 1;
  }

  async #stopAll(): Promise<boolean> {
    const deadlineMs = this.#clock.monotonicMs() + this.#graceMs;
    let clean = true;
    for (const component of this.#begun.toReversed()) {
      const graceMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
      clean = (await this.#stopOne(component, { graceMs, clean })) && clean;
    }
    return clean;
  }

  async #startOne(component: Component): Promise<void> {
    if (this.#isStopping) return;
    this.#begun.push(component);
    const fail = (reason: string): void =>
      this.#end({ component: component.name, reason }, 'component failed');
    try {
      await Promise.race([component.start({ signal: this.#halt.signal, fail }), this.#stop.promise]);
    } catch (error) {
      this.#end({ component: component.name, ...fieldsOf(error) }, 'component could not start');
    }
    if (!this.#isStopping) this.#options.log.info({ component: component.name }, 'component started');
  }

  async #stopOne(component: Component, context: StopContext): Promise<boolean> {
    const fields = { component: component.name };
    try {
      const ended = await component.stop(context);
      if (ended) this.#options.log.debug(fields, 'component stopped');
      else this.#options.log.warn(fields, 'component did not come to an end');
      return ended;
    } catch (error) {
      this.#options.log.error({ ...fields, ...fieldsOf(error) }, 'component could not stop');
      return false;
    }
  }

  #listen(): () => void {
    const port = this.#options.process ?? systemProcess;
    const onSignal = (signal: string) => (): void => {
      if (this.#isStopping) {
        this.#end({ signal }, 'told twice to stop');
        return;
      }
      this.#isStopping = true;
      this.#options.log.info({ signal }, 'shutting down');
      this.#stop.resolve();
    };
    const offs = [
      port.onSignal('SIGTERM', onSignal('SIGTERM')),
      port.onSignal('SIGINT', onSignal('SIGINT')),
      port.onUncaught((error) => this.#end(fieldsOf(error), 'nobody caught this')),
    ];
    return () => {
      for (const off of offs) off();
    };
  }

  /** Ends the process at once. */
  #end(fields: LogFields, message: string): void {
    this.#isStopping = true;
    this.#options.log.error(fields, message);
    this.#halt.abort();
    this.#crash.resolve(1);
  }

  /** Never rejects. */
  async #flushLog(): Promise<void> {
    const { flushLog = async () => {} } = this.#options;
    const deadline = Promise.withResolvers<void>();
    const cancel = this.#timers.after(FLUSH_LOG_MS, deadline.resolve);
    await Promise.race([flushLog().catch(() => {}), deadline.promise]);
    cancel();
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 30_000;
  }
}
