/**
 * The queue in front of a controller: keys only, each at most once waiting and at most once in flight, in a fair order,
 * with delays and back-off. What a key means, and why it was added, is not known here.
 */

import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { BackOff } from './key-back-off.ts';
import { DEFAULT_BACK_OFF, KeyBackOff } from './key-back-off.ts';
import type { Key } from './object.ts';
import { splitKey } from './object.ts';
import type { QueueGauges, QueueObserver } from './queue-observer.ts';
import type { Priority, ReadyKey } from './ready-keys.ts';
import { betterPriority, mergeReady, ReadyKeys } from './ready-keys.ts';
import type { Scheduled } from './schedule.ts';
import { Schedule } from './schedule.ts';
import { SetBack } from './set-back.ts';
import type { Cancel, Timers } from './timers.ts';
import { systemTimers } from './timers.ts';

/** Everything has a default. */
export interface WorkQueueOptions {
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Default 100 ms, factor 2, 5 min. */
  readonly backOff?: BackOff;
  /** The group whose turn a key uses up. Default: its namespace. */
  readonly groupOf?: (key: Key) => string;
  readonly observer?: QueueObserver;
}

interface Running {
  readonly startedMs: number;
  readonly priority: Priority;
  /** Set when the key was added while in flight. */
  again: ReadyKey | undefined;
}

/**
 * No timer is longer, so that a stepped wall clock and a resumed machine are noticed. By how much the wall clock may fall back
 * before appointments are held to be made for instants that were never meant.
 */
const TICK_MS = 30_000;

/**
 * Flow: `add*` -> ready -> `get` -> in flight -> `done`. All operations are O(log n) in the number of keys.
 *
 * Guarantees: a key is never in flight twice; a key added while in flight runs again after `done`; of the ready keys
 * the best class goes first, then the group that waited longest for its turn, then the key longest overdue. Nothing is
 * kept for a key that neither waits, runs, is scheduled nor has failed.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #backOff: KeyBackOff;
  readonly #observer: QueueObserver | undefined;
  readonly #ready: ReadyKeys;
  readonly #running = new Map<Key, Running>();
  /** On the monotonic clock. */
  readonly #delays = new Schedule();
  /** On the wall clock. */
  readonly #appointments = new Schedule();
  readonly #setBack: SetBack;
  readonly #waiters: Array<(key: Key | undefined) => void> = [];
  #wake: { readonly atMs: number; readonly cancel: Cancel } | undefined;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#backOff = new KeyBackOff(options.backOff ?? DEFAULT_BACK_OFF, options.random ?? Math.random);
    this.#ready = new ReadyKeys(options.groupOf ?? ((key) => splitKey(key).namespace ?? ''));
    this.#setBack = new SetBack(this.#clock, TICK_MS);
    this.#observer = options.observer;
    this.#observer?.attach(() => this.gauges());
  }

  /** Makes a key ready now. One that waits keeps the better class and its place by due time. */
  add(key: Key, priority: Priority = 'normal'): void {
    this.#makeReady({ key, priority }, 0);
  }

  /**
   * Makes a key ready after `delayMs` on the monotonic clock. Of several delays for a key the one that ends first
   * counts; an `add` in between does not take it back.
   */
  addAfter(key: Key, delayMs: number, priority: Priority = 'normal'): void {
    if (this.#closed) return;
    this.#observer?.delayed();
    const pending = this.#delays.get(key);
    const endMs = this.#clock.monotonicMs() + Math.max(0, delayMs);
    this.#delays.set({
      key,
      atMs: Math.min(endMs, pending?.atMs ?? endMs),
      priority: betterPriority(priority, pending?.priority ?? priority),
    });
    if (delayMs <= 0) this.#releaseDue();
    else this.#arm();
  }

  /**
   * Makes a key ready at an instant of the wall clock, milliseconds since the Unix epoch; at once when it has passed.
   * The latest call for a key replaces the one before, sooner or later. A step of the clock is noticed within 30 s. When it
   * went back by more than that, all keys are made ready: whoever read it while it was ahead may have waited for too long.
   */
  addAt(key: Key, atMs: number, priority: Priority = 'normal'): void {
    if (this.#closed) return;
    this.#setBack.look();
    this.#appointments.set({ key, atMs, priority });
    if (atMs <= this.#clock.nowMs()) this.#releaseDue();
    else this.#arm();
  }

  /** Takes back `addAt`. */
  cancelAt(key: Key): void {
    this.#appointments.delete(key);
  }

  /**
   * Adds a key after its back-off, in the class of its present run (`normal` when it is not in flight), and counts the
   * failure until `forget`.
   *
   * @param atLeastMs a delay that must not be undercut, such as a server's Retry-After. Default 0.
   * @returns the delay, milliseconds.
   */
  retry(key: Key, atLeastMs = 0): number {
    if (this.#closed) return 0;
    const delayMs = Math.max(atLeastMs, this.#backOff.nextDelayMs(key));
    this.addAfter(key, delayMs, this.#running.get(key)?.priority);
    return delayMs;
  }

  /** Resets the back-off of a key. What is scheduled stays. */
  forget(key: Key): void {
    this.#backOff.forget(key);
  }

  /** Drops everything known of a key. A run in flight goes on, but is not followed by another. */
  remove(key: Key): void {
    this.#ready.delete(key);
    this.#delays.delete(key);
    this.#appointments.delete(key);
    this.#backOff.forget(key);
    const running = this.#running.get(key);
    if (running !== undefined) running.again = undefined;
  }

  /** The next key, as soon as there is one; undefined once the queue is shut down. Each key needs a `done`. */
  get(): Promise<Key | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const next = this.#ready.take();
    if (next !== undefined) return Promise.resolve(this.#start(next));
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends the run of a key. */
  done(key: Key): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    this.#observer?.finished((this.#clock.monotonicMs() - running.startedMs) / 1000);
    if (running.again !== undefined) this.#hand(running.again);
    if (this.#running.size === 0) this.#drained?.();
  }

  /** Hands out no further key. What waited is dropped: whoever takes over lists everything again. */
  shutDown(): void {
    this.#closed = true;
    this.#wake?.cancel();
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  /**
   * Hands out no further key and waits until none is in flight, at most `graceMs`.
   *
   * @returns how many keys are still in flight.
   */
  async shutDownWithDrain(graceMs: number): Promise<number> {
    this.shutDown();
    if (this.#running.size > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#timers.after(graceMs, resolve);
        this.#drained = () => {
          cancel();
          resolve();
        };
      });
    }
    return this.#running.size;
  }

  /** Depth and running times at this moment. O(keys in flight). */
  gauges(): QueueGauges {
    const nowMs = this.#clock.monotonicMs();
    const runningMs = [...this.#running.values()].map(({ startedMs }) => nowMs - startedMs);
    return {
      depth: this.#ready.size,
      unfinishedSeconds: runningMs.reduce((sum, ms) => sum + ms, 0) / 1000,
      longestRunningSeconds: Math.max(0, ...runningMs) / 1000,
    };
  }

  #makeReady({ key, priority }: Pick<Scheduled, 'key' | 'priority'>, overdueMs: number): void {
    if (this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    const ready: ReadyKey = { key, priority, dueMs: nowMs - overdueMs, readyMs: nowMs };
    const running = this.#running.get(key);
    const waits = running === undefined ? this.#ready.has(key) : running.again !== undefined;
    if (!waits) this.#observer?.added();
    if (running === undefined) this.#hand(ready);
    else running.again = running.again === undefined ? ready : mergeReady(running.again, ready);
  }

  #hand(ready: ReadyKey): void {
    this.#ready.add(ready);
    const waiter = this.#waiters.pop();
    const next = waiter === undefined ? undefined : this.#ready.take();
    if (next !== undefined) waiter?.(this.#start(next));
  }

  #start({ key, priority, readyMs }: ReadyKey): Key {
    const startedMs = this.#clock.monotonicMs();
    this.#running.set(key, { startedMs, priority, again: undefined });
    this.#observer?.started((startedMs - readyMs) / 1000);
    return key;
  }

  #releaseDue(): void {
    const monotonicMs = this.#clock.monotonicMs();
    for (
      let due = this.#delays.takeDue(monotonicMs);
      due !== undefined;
      due = this.#delays.takeDue(monotonicMs)
    ) {
      this.#makeReady(due, monotonicMs - due.atMs);
    }
    const nowMs = this.#clock.nowMs();
    const untilMs = this.#setBack.isNoticed() ? Number.POSITIVE_INFINITY : nowMs;
    for (
      let due = this.#appointments.takeDue(untilMs);
      due !== undefined;
      due = this.#appointments.takeDue(untilMs)
    ) {
      this.#makeReady(due, Math.max(0, nowMs - due.atMs));
    }
    this.#arm();
  }

  #arm(): void {
    const delayMs = this.#untilNextMs();
    if (this.#closed || delayMs === undefined) return;
    const atMs = this.#clock.monotonicMs() + delayMs;
    if (this.#wake !== undefined && this.#wake.atMs <= atMs) return;
    this.#wake?.cancel();
    const cancel = this.#timers.after(delayMs, () => {
      this.#wake = undefined;
      this.#releaseDue();
    });
    this.#wake = { atMs, cancel };
  }

  #untilNextMs(): number | undefined {
    const delayEndMs = this.#delays.nextAtMs;
    const appointmentMs = this.#appointments.nextAtMs;
    if (delayEndMs === undefined && appointmentMs === undefined) return undefined;
    const untilDelayMs = delayEndMs === undefined ? TICK_MS : delayEndMs - this.#clock.monotonicMs();
    const untilAppointmentMs = appointmentMs === undefined ? TICK_MS : appointmentMs - this.#clock.nowMs();
    return Math.max(0, Math.min(TICK_MS, untilDelayMs, untilAppointmentMs));
  }
}
