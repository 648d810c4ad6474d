/**
 * The event recorder: tells users what happened to their objects without ever delaying or failing the work it tells
 * of. Events are advisory; when there are too many, they are counted and dropped.
 */

import type { Log } from '../observe/log.ts';
import { silentLog } from '../observe/log.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import type { EventInput, EventReporter, EventSeries, KubeEvent } from './event.ts';
import { cutNote, newEvent } from './event.ts';
import { EventQueue } from './event-queue.ts';
import { fieldsOf } from './failure.ts';
import { microTime } from './micro-time.ts';
import { RecentMap } from './recent-map.ts';
import type { Cancel, Timers } from './timers.ts';
import { delay, systemTimers } from './timers.ts';
import type { BucketSize } from './token-bucket.ts';
import { TokenBucket } from './token-bucket.ts';
import { withTimeout } from './with-timeout.ts';

/** The calls of the recorder. */
export interface EventPort {
  create(event: KubeEvent, signal: AbortSignal): Promise<unknown>;
  /** A merge patch of `series`, the only field of an event that may change. */
  patchSeries(target: KubeEvent['metadata'], series: EventSeries, signal: AbortSignal): Promise<unknown>;
}

/** `full`: no place to wait; `spam`: too many about one object; `failed`: not accepted, or not in time. */
export type EventDropReason = 'full' | 'spam' | 'failed';

/** Where the recorder reports to. None of the functions may throw. */
export interface EventObserver {
  sent(): void;
  dropped(reason: EventDropReason): void;
}

/** Everything but `port` and who reports has a default. */
export interface EventRecorderOptions extends EventReporter {
  readonly port: EventPort;
  /** How many wait to be sent. Default 1,000. */
  readonly queueLimit?: number;
  /** Of all that is sent; what exceeds it waits. Default 50, then 20 a second. */
  readonly sendBucket?: BucketSize;
  /** Of new events about one object; what exceeds it is dropped. Default 25, then 1 in 5 min (as client-go). */
  readonly objectBucket?: BucketSize;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly log?: Log;
  readonly observer?: EventObserver;
}

/** One event on the server, and how often it was seen. */
interface Series {
  readonly key: string;
  readonly event: KubeEvent;
  count: number;
  lastSeenMs: number;
  lastSeenAtMs: number;
}

interface Job {
  readonly type: EventInput['type'];
  readonly action: 'create' | 'patch';
  readonly series: Series;
}

/** A repeat after more than this is a new event. */
const SERIES_IDLE_MS = 600_000;

/** A series is brought up to date at most this often. */
const SERIES_PATCH_MS = 30_000;

/** Objects and series that are remembered. */
const MAX_REMEMBERED = 4096;

const CALL_TIMEOUT_MS = 10_000;

/** Waits before the second and the third try. */
const RETRY_DELAYS_MS: readonly number[] = [1000, 3000];

/** Never blocks and never throws; sends one call at a time. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: Log;
  readonly #queue: EventQueue<Job>;
  readonly #sendBucket: TokenBucket;
  readonly #objectBuckets = new RecentMap<TokenBucket>(MAX_REMEMBERED);
  readonly #series = new RecentMap<Series>(MAX_REMEMBERED);
  readonly #stale = new Set<Series>();
  readonly #warnedCodes = new Set<string>();
  #cancelSweep: Cancel | undefined;
  #sending: Promise<void> | undefined;
  #flushing = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#log = options.log ?? silentLog;
    this.#queue = new EventQueue(options.queueLimit ?? 1000);
    this.#sendBucket = new TokenBucket(options.sendBucket ?? { burst: 50, refillMs: 50 }, this.#clock);
  }

  /**
   * Records an event. The first is sent as soon as possible; repeats of the same reason and note about the same object
   * within 10 min only count up its series, which is sent every 30 s.
   */
  record(input: EventInput): void {
    try {
      const key = JSON.stringify([input.regarding.uid, input.reason, cutNote(input.note)]);
      const series = this.#series.get(key);
      const nowMs = this.#clock.monotonicMs();
      if (series !== undefined && nowMs - series.lastSeenMs <= SERIES_IDLE_MS) this.#repeat(series);
      else this.#begin(key, input);
    } catch (error) {
      this.#drop('failed', error);
    }
  }

  /** Sends what waits, repeats included, without pacing; gives up after `deadlineMs`. Never rejects. */
  async flush(deadlineMs: number): Promise<void> {
    this.#flushing = true;
    this.#queueStale();
    const deadline = Promise.withResolvers<void>();
    const cancel = this.#timers.after(deadlineMs, deadline.resolve);
    await Promise.race([this.#sending, deadline.promise]);
    cancel();
    this.#flushing = false;
  }

  #begin(key: string, input: EventInput): void {
    if (!this.#objectBucket(input.regarding.uid).take()) {
      this.#drop('spam');
      return;
    }
    const atMs = this.#clock.nowMs();
    const event = newEvent(input, this.#options, atMs);
    const series: Series = {
      key,
      event,
      count: 1,
      lastSeenMs: this.#clock.monotonicMs(),
      lastSeenAtMs: atMs,
    };
    this.#series.set(key, series);
    this.#push({ type: input.type, action: 'create', series });
  }

  #repeat(series: Series): void {
    series.count += 1;
    series.lastSeenMs = this.#clock.monotonicMs();
    series.lastSeenAtMs = this.#clock.nowMs();
    this.#stale.add(series);
    this.#cancelSweep ??= this.#timers.after(SERIES_PATCH_MS, () => this.#queueStale());
  }

  #queueStale(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    const stale = [...this.#stale];
    this.#stale.clear();
    for (const series of stale) this.#push({ type: series.event.type, action: 'patch', series });
  }

  #objectBucket(uid: string): TokenBucket {
    const known = this.#objectBuckets.get(uid);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(
      this.#options.objectBucket ?? { burst: 25, refillMs: 300_000 },
      this.#clock,
    );
    this.#objectBuckets.set(uid, bucket);
    return bucket;
  }

  #push(job: Job): void {
    const displaced = this.#queue.push(job);
    if (displaced !== undefined) {
      this.#forget(displaced.series);
      this.#drop('full');
    }
    this.#sending ??= this.#sendAll();
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    // Nothing is sent from within `record`.
    await undefined;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      while (!this.#sendBucket.take() && !this.#flushing)
        await delay(this.#timers, this.#sendBucket.waitMs());
      await this.#send(job);
    }
    this.#sending = undefined;
  }

  async #send(job: Job): Promise<void> {
    // The event of this series was never created.
    if (job.action === 'patch' && this.#series.get(job.series.key) !== job.series) return;
    for (let attempt = 0; ; attempt++) {
      const error = await this.#tryToSend(job);
      if (error === undefined) return this.#options.observer?.sent();
      const retryDelayMs = RETRY_DELAYS_MS[attempt];
      if (retryDelayMs === undefined || !(isKubeError(error) && error.retryable)) {
        this.#forget(job.series);
        return this.#drop('failed', error);
      }
      await delay(this.#timers, retryDelayMs);
    }
  }

  /** @returns the failure, undefined when the event is on the server. */
  async #tryToSend({ action, series }: Job): Promise<unknown> {
    const { port } = this.#options;
    const repeats = { count: series.count, lastObservedTime: microTime(series.lastSeenAtMs) };
    try {
      await withTimeout(this.#timers, CALL_TIMEOUT_MS, (signal) =>
        action === 'create'
          ? port.create(series.event, signal)
          : port.patchSeries(series.event.metadata, repeats, signal),
      );
      return undefined;
    } catch (error) {
      // An earlier try has arrived, although its answer did not.
      return isKubeError(error, 'KUBE_ALREADY_EXISTS') ? undefined : (error ?? new Error('unknown'));
    }
  }

  /** The next repeat begins a new event. */
  #forget(series: Series): void {
    this.#stale.delete(series);
    if (this.#series.get(series.key) === series) this.#series.delete(series.key);
  }

  #drop(reason: EventDropReason, error?: unknown): void {
    this.#options.observer?.dropped(reason);
    if (error === undefined) return;
    const fields = fieldsOf(error);
    const code = String(fields['code']);
    if (this.#warnedCodes.has(code)) return;
    this.#warnedCodes.add(code);
    this.#log.warn(fields, 'event not sent; further ones with this code are only counted');
  }
}
