/** What is told to people about the mesh objects of an identity. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { MeshRole } from '../../domain/mesh/model.ts';
import { meshObjectName } from '../../domain/mesh/names.ts';
import type { Coverage } from '../../domain/mesh/ready.ts';
import { conditionReason, type EventSink, recordAbout } from '../event-sink.ts';
import { typeOfRole } from './kinds.ts';

/** Counters of what was done; see docs/reference/metrics.md. */
export interface MeshObserver {
  /** So many objects were written or deleted. */
  wrote(count: number): void;
  /** What somebody else had changed was put back. */
  repaired(): void;
}

/** Rounds within an hour from which on somebody is seen to undo them. */
const LOOP_ROUNDS = 7;

/** Events and counters. */
export class MeshEvents {
  readonly #sink: EventSink;
  readonly #observer: MeshObserver;

  constructor(sink: EventSink, observer: MeshObserver) {
    this.#sink = sink;
    this.#observer = observer;
  }

  /** Objects were written or deleted. */
  wrote(count: number): void {
    this.#observer.wrote(count);
  }

  /** What somebody else had changed was put back, for so many times within the hour. */
  mended(identity: AgentIdentity, rounds: number): void {
    this.#observer.repaired();
    const note = 'Put back the mesh objects: somebody had changed or deleted them';
    recordAbout(this.#sink, identity, { type: 'Normal', reason: 'Repaired', action: 'Repair', note });
    if (rounds !== LOOP_ROUNDS) return;
    const { namespace, name } = identity.metadata;
    const loop = `Something undoes the mesh objects again and again; they are put back once a second. Find who writes them: kubectl get authorizationpolicies,peerauthentications,networkpolicies -n ${namespace} -l agenttrust.dev/agent=${name} -o yaml --show-managed-fields`;
    recordAbout(this.#sink, identity, {
      type: 'Warning',
      reason: 'RepairLoop',
      action: 'Repair',
      note: loop,
    });
  }

  /** Objects of others stood under our names and were overwritten. */
  squatted(identity: AgentIdentity, roles: readonly MeshRole[]): void {
    for (const role of roles) {
      const name = meshObjectName(role, identity.metadata);
      const note = `${typeOfRole(role).kind} ${name} was there and not ours; it was overwritten, since this name belongs to the wall of the agent`;
      recordAbout(this.#sink, identity, {
        type: 'Warning',
        reason: 'PolicySquatted',
        action: 'TakeOver',
        note,
      });
    }
  }

  /** The wall is not as it should be; told when that begins. */
  judged(identity: AgentIdentity, { reason, message: note }: Coverage): void {
    if (reason !== 'Degraded' || conditionReason(identity, 'MeshReady') === 'Degraded') return;
    recordAbout(this.#sink, identity, { type: 'Warning', reason: 'MeshDegraded', action: 'Judge', note });
  }

  /** A try failed; told once in a row of failures. */
  failed(identity: AgentIdentity, note: string): void {
    if (conditionReason(identity, 'Ready') === 'MeshFailed') return;
    recordAbout(this.#sink, identity, { type: 'Warning', reason: 'MeshFailed', action: 'Render', note });
  }
}
