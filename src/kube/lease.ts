/** The Lease of coordination.k8s.io/v1 as leader election uses it: its records, and the calls that are needed. */

import { microTime } from './micro-time.ts';
import type { KubeObject } from './object.ts';

/** LeaseSpec, the fields of leader election. All times are informational: no clock is compared with another's. */
export interface LeaseSpec {
  /** Empty or absent when nobody holds the lease. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  /** How often the holder has changed. */
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** The calls of leader election, for one Lease, over a connection of its own so that no other call delays a renewal. */
export interface LeasePort {
  /** The Lease as the server has it now, never from a cache; undefined when it does not exist. */
  get(signal: AbortSignal): Promise<Lease | undefined>;
  /** @throws KubeError KUBE_ALREADY_EXISTS */
  create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease>;
  /** PUT with the resourceVersion and uid of `lease`. @throws KubeError KUBE_CONFLICT when it has changed since. */
  replace(lease: Lease, signal: AbortSignal): Promise<Lease>;
}

/** Who writes, and for how long the record is to hold. */
export interface LeaseClaim {
  readonly identity: string;
  readonly leaseDurationMs: number;
  /** Wall clock of this machine, milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/**
 * The record that makes `identity` the holder. A new holder starts a new term: acquireTime is now and leaseTransitions
 * one more than before; the same holder keeps both (as client-go does).
 */
export function claimed(previous: LeaseSpec | undefined, claim: LeaseClaim): LeaseSpec {
  const now = microTime(claim.nowMs);
  const renewed = {
    ...previous,
    holderIdentity: claim.identity,
    leaseDurationSeconds: Math.ceil(claim.leaseDurationMs / 1000),
    renewTime: now,
  };
  if (previous?.holderIdentity === claim.identity) return renewed;
  const leaseTransitions = previous === undefined ? 0 : (previous.leaseTransitions ?? 0) + 1;
  return { ...renewed, acquireTime: now, leaseTransitions };
}

/** The record that gives the lease up at once: no holder, one second, the number of transitions kept. */
export function released(previous: LeaseSpec | undefined, nowMs: number): LeaseSpec {
  const now = microTime(nowMs);
  return { ...previous, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
}

/** Watches one record on this process's monotonic clock. */
export class LeaseObservation {
  #record: string | undefined;
  #sinceMs = 0;

  /**
   * Takes what the server has just answered.
   *
   * @returns for how long the record has not changed, milliseconds; 0 when it was first seen now.
   */
  unchangedMs(spec: LeaseSpec | undefined, monotonicMs: number): number {
    const record = JSON.stringify(spec ?? {});
    if (record !== this.#record) {
      this.#record = record;
      this.#sinceMs = monotonicMs;
    }
    return monotonicMs - this.#sinceMs;
  }
}
