/** What is told to people about the pods of agents. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { AGENT_IDENTITY, GROUP, VERSION } from '../../api/group.ts';
import type { MountReport } from '../../domain/pod/mounted.ts';
import type { EventSink } from '../identity/identity-events.ts';
import type { PodRecord } from '../mesh/pod-record.ts';

/** Events about identities and about pods. */
export class PodEvents {
  readonly #sink: EventSink;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** Pods are without label or files; told when that begins. */
  judged({ metadata, status }: AgentIdentity, { reason, message }: MountReport): void {
    const before = status?.conditions?.find(({ type }) => type === 'FilesMounted');
    if (reason !== 'NotMounted' || before?.reason === 'NotMounted') return;
    const { name, namespace, uid } = metadata;
    this.#sink.record({
      regarding: { apiVersion: `${GROUP}/${VERSION}`, kind: AGENT_IDENTITY.kind, name, namespace, uid },
      type: 'Warning',
      reason: 'PodWithoutFiles',
      action: 'Judge',
      note: message,
    });
  }

  /** A pod waits for the Secret of an agent that is cut off. */
  waits(pod: Pick<PodRecord, 'namespace' | 'name' | 'uid'>, agent: string, secretName: string): void {
    const { name, namespace, uid } = pod;
    this.#sink.record({
      regarding: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      type: 'Warning',
      reason: 'Quarantined',
      action: 'Wait',
      note: `Agent ${agent} is cut off (spec.suspended of its AgentIdentity), and Secret ${secretName} with its certificate is withdrawn. This pod waits for it, and starts by itself after that is lifted`,
    });
  }
}
