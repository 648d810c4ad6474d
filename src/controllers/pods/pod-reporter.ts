/** Looks at the pods of an agent: which came past admission, and which wait for a Secret that was withdrawn. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { FilesMountedReason } from '../../api/conditions.ts';
import { olderClaimant } from '../../cluster/identity-view.ts';
import { type ResolvedIdentity, resolveAgentIdentity } from '../../domain/identity/resolve.ts';
import { judgeMounts, podsWithoutFiles, type Wanted } from '../../domain/pod/mounted.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { MeshView } from '../mesh/mesh-view.ts';
import type { PodRecord } from '../mesh/pod-record.ts';
import type { PodEvents } from './pod-events.ts';

/** What FilesMounted of an identity is to say; `none`: no pod runs. `as-before`: what it says stays. */
export type FilesReport =
  | { readonly reason: FilesMountedReason; readonly message: string }
  | 'none'
  | 'as-before';

/** What the reporter looks at, and whom it tells. */
export interface PodReporterOptions {
  readonly view: ClusterView;
  readonly mesh: Pick<MeshView, 'scope' | 'podsOf'>;
  readonly events: PodEvents;
}

/** An identity, and whether its Secret is withdrawn because it is cut off. */
export interface PodsInput {
  readonly identity: AgentIdentity;
  readonly resolved: Pick<ResolvedIdentity, 'serviceAccountName' | 'secretName' | 'signing'>;
  readonly isQuarantined: boolean;
}

/** One for the process. Reads caches alone. */
export class PodReporter {
  readonly #options: PodReporterOptions;
  /** UIDs of the pods that were told that they wait, for each identity: of those that still do. */
  readonly #told = new Map<Key, ReadonlySet<string>>();

  constructor(options: PodReporterOptions) {
    this.#options = options;
  }

  /** What to say of the pods of an identity. Tells people what is new. */
  report({ identity, resolved, isQuarantined }: PodsInput): FilesReport {
    const { events, mesh } = this.#options;
    const pods = this.#podsOf(identity, resolved.serviceAccountName);
    if (pods === undefined) return 'none';
    if (mesh.scope(identity.metadata.namespace)?.pods.hasSynced !== true) return 'as-before';
    this.#tellWaiting(identity, resolved.secretName, isQuarantined ? pods : []);
    const report = judgeMounts(wanted(resolved), pods);
    if (report !== undefined) events.judged(identity, report);
    return report ?? 'none';
  }

  /** The identity is gone. */
  forget(key: Key): void {
    this.#told.delete(key);
  }

  /** Number of pods without label or files, of all agents. */
  withoutFiles(): number {
    let count = 0;
    for (const identity of this.#options.view.identities.values()) {
      const resolved = resolveAgentIdentity(identity.metadata.name, identity.spec);
      const pods = this.#podsOf(identity, resolved.serviceAccountName) ?? [];
      count += podsWithoutFiles(wanted(resolved), pods).length;
    }
    return count;
  }

  /** Undefined where they are none of this identity's: another has the ServiceAccount, or nobody looks there. */
  #podsOf({ metadata }: AgentIdentity, serviceAccountName: string): readonly PodRecord[] | undefined {
    const { view, mesh } = this.#options;
    if (view.governed(metadata.namespace) === undefined) return undefined;
    const isTaken = olderClaimant(view, { ...metadata, serviceAccountName }) !== undefined;
    return isTaken ? undefined : mesh.podsOf(metadata.namespace, serviceAccountName);
  }

  #tellWaiting(identity: AgentIdentity, secretName: string, pods: readonly PodRecord[]): void {
    const key = keyOf(identity.metadata);
    const before = this.#told.get(key);
    const waiting = pods.filter((pod) => pod.waitsForVolumes && pod.secrets.includes(secretName));
    for (const pod of waiting) {
      if (before?.has(pod.uid) !== true) this.#options.events.waits(pod, identity.metadata.name, secretName);
    }
    if (waiting.length === 0) this.#told.delete(key);
    else this.#told.set(key, new Set(waiting.map(({ uid }) => uid)));
  }
}

function wanted({ serviceAccountName, secretName, signing }: PodsInput['resolved']): Wanted {
  return { serviceAccountName, wantedSecrets: [secretName, signing.secretName] };
}
