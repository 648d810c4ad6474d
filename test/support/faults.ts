/** What goes wrong between a client and the API server, for which requests, and how often. */

import type { Match, ProxiedRequest } from './proxied-request.ts';

/** Whether a request is kept from the server, or carried out and only its answer kept from the client. */
export type FaultPoint = 'request' | 'answer';

/**
 * A fault.
 *
 * - `reset`: the connection is reset.
 * - `silence`: nothing more is heard and the connection stays open.
 * - `status`: the proxy answers with this status itself.
 * - `error event`: an ERROR event in the stream of a watch, which stays open.
 * - `cut`: half of the body, then a reset.
 * - `truncation`: half of the body, then a good end, as of a proxy that gave up.
 * - `delay`: the answer is late.
 * - `lateness`: the request is late; it arrives even if the client has given up on it.
 * - `trickle`: the body comes in small pieces.
 */
export type Fault =
  | { readonly kind: 'reset'; readonly at: FaultPoint }
  | { readonly kind: 'silence'; readonly at: FaultPoint }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: 'error event'; readonly status: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'truncation' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'lateness'; readonly delayMs: number }
  | { readonly kind: 'trickle'; readonly bytes: number; readonly everyMs: number };

/** Which requests meet which fault. */
export interface Injection {
  readonly on: Match;
  readonly fault: Fault;
  /** How many of them; all until it is lifted when absent. */
  readonly times?: number;
}

/** A fault that is on. */
export interface ActiveFault {
  /** How many requests and open watches have met it. */
  readonly hits: number;
  /** Switches it off for requests to come. */
  lift(): void;
}

/** The faults that are on; of several for one request the one that was switched on first is met. */
export class FaultRules {
  readonly #rules = new Set<FaultRule>();

  /** Switches a fault on. */
  add(injection: Injection): FaultRule {
    const rule = new FaultRule(injection, (lifted) => this.#rules.delete(lifted));
    this.#rules.add(rule);
    return rule;
  }

  /** The fault that a request meets; counts it. */
  take(request: ProxiedRequest): Fault | undefined {
    for (const rule of this.#rules) {
      const fault = rule.take(request);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

/** One fault that is on. */
class FaultRule implements ActiveFault {
  readonly #injection: Injection;
  readonly #onLift: (rule: FaultRule) => void;
  #hits = 0;

  constructor(injection: Injection, onLift: (rule: FaultRule) => void) {
    this.#injection = injection;
    this.#onLift = onLift;
  }

  get hits(): number {
    return this.#hits;
  }

  lift(): void {
    this.#onLift(this);
  }

  /** The fault if the request would meet it; counts nothing. */
  peek(request: ProxiedRequest): Fault | undefined {
    const { on, fault, times = Number.POSITIVE_INFINITY } = this.#injection;
    return this.#hits < times && on(request) ? fault : undefined;
  }

  /** The fault if the request meets it. */
  take(request: ProxiedRequest): Fault | undefined {
    const fault = this.peek(request);
    if (fault !== undefined) this.#hits += 1;
    return fault;
  }
}

/** A Status of meta/v1 with this code, as the API server sends it. */
export function statusObject(code: number): object {
  const reasons: Readonly<Record<number, string>> = {
    401: 'Unauthorized',
    410: 'Expired',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
  };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: reasons[code], code };
}

/** The line of an ERROR event. */
export function errorEvent(status: number): string {
  return `${JSON.stringify({ type: 'ERROR', object: statusObject(status) })}\n`;
}
