/** Reports on an AgentIdentity: its status, when it says something new. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../api/group.ts';
import { type StatusPorts, statusWriter } from '../status-writer.ts';
import { type IdentityReport, identityStatus } from './status.ts';

/** What reporting needs. */
export interface ReportPorts extends Omit<StatusPorts<AgentIdentity>, 'type'> {
  readonly nowMs: () => number;
}

/** Makes the function that reports. An identity that is gone by then needs no status. */
export function statusReporter({
  nowMs,
  ...ports
}: ReportPorts): (identity: AgentIdentity, report: IdentityReport, signal: AbortSignal) => Promise<void> {
  const write = statusWriter<AgentIdentity>({ ...ports, type: AGENT_IDENTITY });
  return async (identity, report, signal) => {
    await write(identity, identityStatus(identity, report, nowMs()), signal);
  };
}
