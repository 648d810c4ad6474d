/** Where events go, and how they come to stand with an identity. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import type { EventReason } from '../api/event-reasons.ts';
import { AGENT_IDENTITY, GROUP, VERSION } from '../api/group.ts';
import type { EventInput } from '../kube/event.ts';

/** What is told about an object, for one of the reasons of docs/reference/events.md. */
export interface OperatorEvent extends EventInput {
  readonly reason: EventReason;
}

/** Where events go; never blocks, never throws. */
export interface EventSink {
  record(event: OperatorEvent): void;
}

/** Tells something about an identity. */
export function recordAbout(
  sink: EventSink,
  { metadata: { name, namespace, uid } }: AgentIdentity,
  event: Omit<OperatorEvent, 'regarding'>,
): void {
  const regarding = { apiVersion: `${GROUP}/${VERSION}`, kind: AGENT_IDENTITY.kind, name, namespace, uid };
  sink.record({ regarding, ...event });
}

/** Reason of a condition as it is stored, for telling only what is new; undefined when there is no such condition. */
export function conditionReason({ status }: AgentIdentity, condition: string): string | undefined {
  return status?.conditions?.find(({ type }) => type === condition)?.reason;
}
