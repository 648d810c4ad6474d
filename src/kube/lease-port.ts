/** Leader election's calls, made with the Kubernetes client over the connection kept for the Lease. */

import type { KubeClient } from './client.ts';
import { LEASE } from './core-types.ts';
import type { LeasePort } from './lease.ts';

/** The calls for the Lease of that name. */
export function leasePort(
  client: KubeClient,
  target: { readonly namespace: string; readonly name: string },
): LeasePort {
  return {
    get: (signal) => client.find(LEASE, target, { signal, channel: 'lease' }),
    create: (spec, signal) => client.create(LEASE, { metadata: target, spec }, { signal, channel: 'lease' }),
    replace: (lease, signal) => client.replace(LEASE, lease, { signal, channel: 'lease' }),
  };
}
