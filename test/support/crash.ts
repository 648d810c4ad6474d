/** The death of a client at a chosen request, as its API server sees it: from then on nothing of it arrives. */

import type { FaultProxy } from './fault-proxy.ts';
import type { FaultPoint } from './faults.ts';
import type { ProxiedRequest } from './proxied-request.ts';

/** Flags of an operator that is to die. */
export const SHORT_LEASE: readonly string[] = [
  '--lease-duration=1s',
  '--renew-deadline=900ms',
  '--retry-period=200ms',
];

/** Flags of the one that takes over as soon as it may, and then keeps the Lease even on a busy machine. */
export const STEADY_LEASE: readonly string[] = [
  '--lease-duration=15s',
  '--renew-deadline=10s',
  '--retry-period=200ms',
];

/** At which request a client dies. */
export interface CrashPlan {
  /** Before the request is sent, or after it was carried out and before its answer is seen. */
  readonly when: FaultPoint;
  /** The request, as in {@link Crash.points}; undefined: it lives. */
  readonly point: string | undefined;
  /** Which requests can be one. */
  readonly counts: (request: ProxiedRequest) => boolean;
}

/** Lies in wait in a proxy that nothing has gone through yet. */
export class Crash {
  /** The requests that counted so far, such as `POST secrets ai-agents/agent-deployer-tls #1`; all different. */
  readonly points: Set<string> = new Set();
  readonly #proxy: FaultProxy;
  #isHit = false;

  constructor(proxy: FaultProxy, { when, point, counts }: CrashPlan) {
    this.#proxy = proxy;
    proxy.inject({ on: () => this.#isHit, fault: { kind: 'silence', at: 'request' } });
    proxy.inject({
      on: (request) => {
        if (!counts(request)) return false;
        this.#isHit = this.#count(request) === point;
        return this.#isHit;
      },
      fault: { kind: 'silence', at: when },
    });
  }

  /** Whether it has come to that request. */
  get isHit(): boolean {
    return this.#isHit;
  }

  /** Whether the server is also through with whatever was sent before. */
  get isOver(): boolean {
    const sent = this.#proxy.journal.filter(({ request }) => !request.isWatch);
    return this.#isHit && sent.every(({ outcome }) => outcome !== 'pending');
  }

  #count(request: ProxiedRequest): string {
    for (let occurrence = 1; ; occurrence++) {
      const point = `${describe(request)} #${occurrence}`;
      if (this.points.has(point)) continue;
      this.points.add(point);
      return point;
    }
  }
}

function describe({ method, resource, subresource, namespace, name, isWatch }: ProxiedRequest): string {
  const verb = isWatch ? 'WATCH' : method === 'GET' && name === undefined ? 'LIST' : method;
  const type = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${verb} ${type} ${[namespace, name].filter((part) => part !== undefined).join('/')}`.trimEnd();
}
