/**
 * Leader election over a Lease: at most one process of several writes. Clocks of different machines are never compared;
 * a holder is gone when its record has not changed for as long as the record promises.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '../observe/log.ts';
import { silentLog } from '../observe/log.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { isKubeError, KubeError } from './errors.ts';
import { fieldsOf } from './failure.ts';
import type { Lease, LeasePort } from './lease.ts';
import { claimed, LeaseObservation, released } from './lease.ts';
import type { Timers } from './timers.ts';
import { systemTimers } from './timers.ts';
import { withTimeout } from './with-timeout.ts';
import type { WriteFence } from './write-fence.ts';

/** Where an elector reports to. May not throw. */
export interface LeaderObserver {
  /** 1 or 0 of `leader_election_master_status`. */
  leading(isLeader: boolean): void;
}

/** Everything but `lease` has a default. */
export interface LeaderElectorOptions {
  readonly lease: LeasePort;
  /** Unique for each start of a process. Default `<hostname>_<uuid>`. */
  readonly identity?: string;
  /** After this without a change of the record another process may take over. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** After this without a renewal the leader gives up; less than `leaseDurationMs`. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Between two renewals, and about between two tries to acquire. Default 2 s. */
  readonly retryPeriodMs?: number;
  /** The clock of this machine, not one that is corrected elsewhere. */
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  readonly log?: Log;
  readonly observer?: LeaderObserver;
}

/** An instant on both clocks. */
interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The longest pause between two tries to acquire, in retry periods. */
const LONGEST_PAUSE = 1.2;

/**
 * One candidate. `run` once; lost is lost: a process that lost the lease must exit.
 *
 * Flow: `candidate` -> (acquire) -> `leading` -> (renew)* -> `ended`, by the signal of `run`, with the lease released;
 * or -> `lost`, when somebody else holds the lease, or no renewal sent within `renewDeadlineMs` has succeeded.
 *
 * Guarantees: `assertHeld` looks at the clocks itself, so that a process that was stopped or blocked is refused before
 * any timer of it has run. The monotonic clock decides; it stands still while a machine is suspended, which the wall
 * clock shows: when only that one disagrees, writes are refused until a renewal, begun at once, has succeeded.
 *
 * Who waits sees a renewal at most 1.2 retry periods late and tries again when the record runs out: it leads at the
 * latest leaseDurationMs + 1.2 retryPeriodMs, and the time of three calls, after the last renewal of a holder that died.
 *
 * Assumption: monotonic clocks of two machines run at rates that differ by less than leaseDurationMs : renewDeadlineMs.
 */
export class LeaderElector implements WriteFence {
  /** Unique for each start of a process. */
  readonly identity: string;
  /** Resolves with the reason when the lease is lost; never rejects, and never resolves otherwise. */
  readonly lost: Promise<string>;
  readonly #port: LeasePort;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observer: LeaderObserver | undefined;
  readonly #observation = new LeaseObservation();
  readonly #acquired = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<string>();
  #state: 'candidate' | 'leading' | 'lost' | 'ended' = 'candidate';
  /** The Lease as the last successful write left it. */
  #held: Lease | undefined;
  /** When that write was sent. */
  #sent: Instant = { monotonicMs: 0, wallMs: 0 };
  #interrupt: () => void = () => {};
  /** Woken while not in a pause: the next pause is skipped. */
  #woken = false;
  #hurried = false;
  /** After what time the record of another will have run out, as of the last try; infinity when that is not known. */
  #runsOutInMs = Number.POSITIVE_INFINITY;

  /** @throws RangeError unless lease duration > renew deadline > 1.2 retry periods > 0. */
  constructor(options: LeaderElectorOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
    if (
      !(
        leaseDurationMs > renewDeadlineMs &&
        renewDeadlineMs > LONGEST_PAUSE * retryPeriodMs &&
        retryPeriodMs > 0
      )
    ) {
      throw new RangeError('leader election needs lease duration > renew deadline > 1.2 retry periods > 0');
    }
    this.#port = options.lease;
    this.identity = options.identity ?? `${hostname()}_${randomUUID()}`;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? Math.random;
    this.#log = options.log ?? silentLog;
    this.#observer = options.observer;
    this.#observer?.leading(false);
    this.lost = this.#lost.promise;
  }

  /** Whether a write would be allowed now. */
  get isLeader(): boolean {
    return this.#mayWrite();
  }

  /** The number of this term: greater than that of every earlier holder as long as the Lease is not deleted; undefined before `acquired`. */
  get term(): number | undefined {
    return this.#held?.spec?.leaseTransitions;
  }

  /** Resolves when this process first leads; never rejects, and never resolves if it never leads. */
  acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  /** @throws KubeError KUBE_LEASE_NOT_HELD unless a renewal sent less than `renewDeadlineMs` ago has succeeded. */
  assertHeld(): void {
    if (!this.#mayWrite()) throw new KubeError('KUBE_LEASE_NOT_HELD', 'this process does not hold the lease');
  }

  /**
   * Takes part until `signal` is aborted or the lease is lost. Never rejects.
   *
   * @param signal aborted only when nothing of this process writes any more: the lease is then given away at once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted && this.#state === 'candidate') {
      await this.#attempt('acquire', () => this.#acquire());
      const jitteredMs = this.#retryPeriodMs * (1 + (LONGEST_PAUSE - 1) * this.#random());
      if (this.#state === 'candidate') await this.#pause(Math.min(jitteredMs, this.#runsOutInMs), signal);
    }
    while (!signal.aborted && this.#state === 'leading') {
      await this.#pause(Math.min(this.#retryPeriodMs, this.#remainingMs()), signal);
      if (!signal.aborted && this.#isInTime()) await this.#attempt('renew', () => this.#renew());
    }
    signal.removeEventListener('abort', stop);
    await this.#end();
  }

  async #acquire(): Promise<void> {
    this.#runsOutInMs = Number.POSITIVE_INFINITY;
    const lease = await this.#call((signal) => this.#port.get(signal));
    const spec = lease?.spec;
    const unchangedMs = this.#observation.unchangedMs(spec, this.#clock.monotonicMs());
    const promisedMs = (spec?.leaseDurationSeconds ?? this.#leaseDurationMs / 1000) * 1000;
    const holder = spec?.holderIdentity ?? '';
    // Our own name here means that an earlier claim arrived although its answer did not.
    if (holder !== '' && holder !== this.identity && unchangedMs < promisedMs) {
      this.#runsOutInMs = Math.ceil(promisedMs - unchangedMs);
      return;
    }
    await this.#claim(lease);
    this.#state = 'leading';
    this.#log.info({ identity: this.identity, term: this.term }, 'lease acquired');
    this.#observer?.leading(true);
    this.#acquired.resolve();
  }

  /** The first try skips the read; only when the record has changed it is looked at. */
  async #renew(): Promise<void> {
    try {
      await this.#claim(this.#held);
    } catch (error) {
      if (!isKubeError(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error;
      const lease = await this.#call((signal) => this.#port.get(signal));
      // Even a lease that nobody holds may have been held by another in between.
      if (lease?.spec?.holderIdentity !== this.identity) return this.#lose('the lease is no longer ours');
      await this.#claim(lease);
    }
  }

  async #claim(lease: Lease | undefined): Promise<void> {
    const sent: Instant = { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.nowMs() };
    const { identity } = this;
    const spec = claimed(lease?.spec, {
      identity,
      leaseDurationMs: this.#leaseDurationMs,
      nowMs: sent.wallMs,
    });
    this.#held = await this.#call((signal) =>
      lease === undefined ? this.#port.create(spec, signal) : this.#port.replace({ ...lease, spec }, signal),
    );
    this.#sent = sent;
    this.#hurried = false;
  }

  async #end(): Promise<void> {
    if (this.#state === 'lost') return;
    const led = this.#state === 'leading';
    this.#state = 'ended';
    if (!led) return;
    this.#observer?.leading(false);
    await this.#attempt('release', () => this.#release());
  }

  async #release(): Promise<void> {
    const lease = await this.#call((signal) => this.#port.get(signal));
    if (lease?.spec?.holderIdentity !== this.identity) return;
    const spec = released(lease.spec, this.#clock.nowMs());
    await this.#call((signal) => this.#port.replace({ ...lease, spec }, signal));
    this.#log.info({ identity: this.identity }, 'lease released');
  }

  #mayWrite(): boolean {
    if (this.#state !== 'leading' || !this.#isInTime()) return false;
    const wallElapsedMs = this.#clock.nowMs() - this.#sent.wallMs;
    if (wallElapsedMs >= 0 && wallElapsedMs < this.#renewDeadlineMs) return true;
    // Once per renewal: while renewals fail, callers must not drive the pace of the tries.
    if (!this.#hurried) this.#wake();
    this.#hurried = true;
    return false;
  }

  /** Whether the lease still holds by the monotonic clock; if not, it is lost for good. */
  #isInTime(): boolean {
    if (this.#remainingMs() > 0) return true;
    this.#lose('no renewal succeeded in time');
    return false;
  }

  #remainingMs(): number {
    return this.#sent.monotonicMs + this.#renewDeadlineMs - this.#clock.monotonicMs();
  }

  #lose(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#state = 'lost';
    this.#log.error({ identity: this.identity, reason }, 'lease lost');
    this.#observer?.leading(false);
    this.#lost.resolve(reason);
    this.#wake();
  }

  async #attempt(what: 'acquire' | 'renew' | 'release', action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const expected = what === 'acquire' && isKubeError(error, 'KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS');
      this.#log[expected ? 'debug' : 'warn']({ ...fieldsOf(error), what }, 'lease call failed');
    }
  }

  /** A call has half the renew deadline, and a leader's call no longer than the lease holds. */
  #call<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ownMs = this.#renewDeadlineMs / 2;
    const timeoutMs = this.#state === 'leading' ? Math.min(ownMs, Math.max(0, this.#remainingMs())) : ownMs;
    return withTimeout(this.#timers, timeoutMs, call);
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const cancel = this.#timers.after(Math.max(0, delayMs), resolve);
        this.#interrupt = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#woken = false;
  }

  #wake(): void {
    this.#woken = true;
    this.#interrupt();
  }
}
