/** What is told to people about the pods of agents. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { MountReport } from '../../domain/pod/mounted.ts';
import { conditionReason, type EventSink, recordAbout } from '../event-sink.ts';
import type { PodRecord } from '../mesh/pod-record.ts';

/** Events about identities and about pods. */
export class PodEvents {
  readonly #sink: EventSink;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** Pods are without label or files; told when that begins. */
  judged(identity: AgentIdentity, { reason, message }: MountReport): void {
    if (reason !== 'NotMounted' || conditionReason(identity, 'FilesMounted') === 'NotMounted') return;
    const event = { type: 'Warning', reason: 'PodWithoutFiles', action: 'Judge', note: message } as const;
    recordAbout(this.#sink, identity, event);
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
