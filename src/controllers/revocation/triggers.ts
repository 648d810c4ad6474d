/** Which TokenRevocations have work when something changes, and which bundles one of them waits for. */

import type { RevocationCache } from '../../cluster/revocation-cache.ts';
import type { Controller } from '../../kube/controller.ts';
import type { BundleMemory } from '../bundle/memory.ts';
import type { ClusterView } from '../cluster-view.ts';
import { isAsBefore, namespacesToKeep } from '../triggers.ts';

/** What is connected. */
export interface RevocationTriggers {
  readonly view: ClusterView;
  readonly cache: RevocationCache;
  readonly memory: BundleMemory;
  readonly revocations: Pick<Controller, 'enqueue'>;
  readonly bundles: Pick<Controller, 'enqueue'>;
}

/** The bundles concerned by one revocation are written one after the other. */
const GATHER_MS = 50;

/** Connects them. Call before the caches start. */
export function connectRevocations({ view, cache, memory, revocations, bundles }: RevocationTriggers): void {
  cache.onChange((key, current, previous) => {
    if (!isAsBefore(current, previous)) revocations.enqueue(key);
  });
  cache.onStateChange(() => {
    for (const namespace of namespacesToKeep(view)) bundles.enqueue(namespace);
  });
  memory.onPublished(() => {
    for (const { metadata, status } of cache.values()) {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.status === 'True') continue;
      revocations.enqueue(`${metadata.namespace}/${metadata.name}`, { delayMs: GATHER_MS });
    }
  });
}

/** Namespaces whose bundle may lack a revocation of chains of `namespace` (undefined: all) and this revision. */
export function missingBundles(
  { view, memory }: Pick<RevocationTriggers, 'view' | 'memory'>,
  namespace: string | undefined,
  revision: number,
): readonly string[] {
  const concerned =
    namespace === undefined ? undefined : new Set([namespace, ...memory.named.bundlesOfNamespace(namespace)]);
  return [...namespacesToKeep(view)]
    .filter((each) => view.scopeOf(each) === 'governed')
    .filter((each) => !memory.hasPublished(each, concerned?.has(each) === false ? 0 : revision))
    .sort();
}
