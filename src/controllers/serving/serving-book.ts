/** What this process serves, and since when the API server has been seen to trust what the Secret says. */

import type { SelfSigned } from '../../crypto/self-signed.ts';
import type { ServedCertificate } from '../../domain/serving/facts.ts';
import { isUsable } from '../../domain/serving/plan.ts';
import type { Clock } from '../../kube/clock.ts';
import type { ServingRecord } from './serving-record.ts';

/** What the book is made of. */
export interface ServingBookOptions {
  readonly clock: Clock;
  /** See `servingNames`. */
  readonly names: readonly string[];
}

/** Told of the pair that is to be served from now on. */
export type ServingListener = (pair: SelfSigned) => void;

/** Holds the one pair; it changes only to another that can be served. */
export class ServingBook {
  readonly #options: ServingBookOptions;
  readonly #listeners: ServingListener[] = [];
  #served: { readonly certificate: ServedCertificate; readonly pair: SelfSigned } | undefined;
  #trusted: { readonly state: string; readonly sinceMs: number } | undefined;

  constructor(options: ServingBookOptions) {
    this.#options = options;
  }

  /** Undefined before the first. */
  get served(): ServedCertificate | undefined {
    return this.#served?.certificate;
  }

  /** Calls `listener` for every pair from now on, and at once for the present one. */
  onChange(listener: ServingListener): void {
    this.#listeners.push(listener);
    if (this.#served !== undefined) listener(this.#served.pair);
  }

  /** Serves what the Secret says, if it is another pair and the API server can take it. */
  take(record: ServingRecord | undefined): void {
    const { facts, current: pair } = record ?? {};
    const certificate = facts?.current;
    if (certificate === undefined || pair === undefined) return;
    if (certificate.fingerprint === this.#served?.certificate.fingerprint) return;
    const { clock, names } = this.#options;
    if (!isUsable(certificate, { names, nowMs: clock.nowMs() })) return;
    this.#served = { certificate, pair };
    for (const listener of this.#listeners) listener(pair);
  }

  /**
   * For how long, milliseconds, the Secret has been as it is with the API server trusting what it says; undefined while
   * it does not.
   *
   * @param isTrusted whether every webhook configuration carries exactly what the Secret says.
   */
  trustedForMs(record: ServingRecord | undefined, isTrusted: boolean): number | undefined {
    if (record === undefined || !isTrusted) {
      this.#trusted = undefined;
      return undefined;
    }
    const { current, next, trusted } = record.facts;
    const state = [current, next, ...trusted].map((each) => each?.fingerprint).join();
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#trusted?.state !== state) this.#trusted = { state, sinceMs: nowMs };
    return nowMs - this.#trusted.sinceMs;
  }
}
