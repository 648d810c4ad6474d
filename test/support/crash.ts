/** The death of a client at a chosen request, as its API server sees it: from then on nothing of it arrives. */

import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import { LEASE_NAME } from '../../src/api/group.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { LEASE } from '../../src/kube/core-types.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { FaultPoint } from './faults.ts';
import type { ProxiedRequest } from './proxied-request.ts';

/** Flags of an operator that dies or takes over: it keeps the Lease even on a machine that stands still for seconds. */
export const STEADY_LEASE: readonly string[] = [
  '--lease-duration=15s',
  '--renew-deadline=10s',
  '--retry-period=200ms',
];

/** Spares the next one the wait for the Lease of a leader that died: nobody has it now. There may be none yet. */
export async function vacateLease(client: KubeClient): Promise<void> {
  const patch = { spec: { holderIdentity: '' } };
  try {
    await client.mergePatch(LEASE, { namespace: OPERATOR_NAMESPACE, name: LEASE_NAME, patch });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}

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
