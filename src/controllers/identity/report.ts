/** The one place that writes the status of an AgentIdentity, and only when it says something new. */

import { isDeepStrictEqual } from 'node:util';
import type { AgentIdentity } from '../../api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../api/group.ts';
import type { Cache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type IdentityReport, identityStatus } from './status.ts';

/** What reporting needs. */
export interface ReportPorts {
  readonly client: Pick<KubeClient, 'applyStatus'>;
  readonly cache: Cache<AgentIdentity, AgentIdentity>;
  readonly nowMs: () => number;
}

/** Makes the function that reports. An identity that is gone by then needs no status. */
export function statusReporter({
  client,
  cache,
  nowMs,
}: ReportPorts): (identity: AgentIdentity, report: IdentityReport, signal: AbortSignal) => Promise<void> {
  return async (identity, report, signal) => {
    const status = identityStatus(identity, report, nowMs());
    if (isDeepStrictEqual(status, identity.status)) return;
    const { name, namespace, uid } = identity.metadata;
    try {
      const stored = await client.applyStatus<AgentIdentity>(
        AGENT_IDENTITY,
        { metadata: { name, namespace, uid }, status },
        { signal },
      );
      cache.observe(stored);
    } catch (error) {
      if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
    }
  };
}
