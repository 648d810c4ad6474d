/**
 * Agents of which several pods are ready. Each pod would remember used tokens by itself, so a token would be used once in
 * each: their bundle says that the pods have to share what they remember, and the SDK refuses until they do.
 */

import { type Key, splitKey } from '../../kube/object.ts';
import type { MeshView } from '../mesh/mesh-view.ts';
import type { PodRecord } from '../mesh/pod-record.ts';

/** What bundles need to know of pods. */
export interface PodCounts {
  /** Whether all pods of a namespace are known. */
  isKnown(namespace: string): boolean;
  /** Whether more than one pod is ready that runs as a ServiceAccount. */
  hasSeveral(namespace: string, account: string): boolean;
  /** Calls the listener with a namespace where that may have changed, or `*`. */
  onChange(listener: (namespace: string) => void): void;
}

/** Reads them off the caches of pods. */
export function podCounts(mesh: Pick<MeshView, 'scope' | 'scopes' | 'podsOf'>): PodCounts {
  return {
    isKnown: (namespace) => mesh.scope(namespace)?.pods.hasSynced === true,
    hasSeveral: (namespace, account) =>
      mesh.podsOf(namespace, account).filter(({ isReady }) => isReady).length > 1,
    onChange(listener) {
      for (const [place, { pods }] of mesh.scopes()) {
        pods.onChange((key, current, previous) => {
          if (isServing(current) !== isServing(previous)) listener(namespaceOf(key));
        });
        pods.onStateChange(() => listener(place));
      }
    },
  };
}

function isServing(pod: PodRecord | undefined): boolean {
  return pod?.isReady === true && !pod.hasEnded;
}

function namespaceOf(key: Key): string {
  return splitKey(key).namespace ?? '';
}
