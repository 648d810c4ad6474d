/** What is known of TokenRevocations in the cluster. */

import { TOKEN_REVOCATION } from '../api/group.ts';
import type { TokenRevocation } from '../api/token-revocation.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import type { KubeObject } from '../kube/object.ts';

/** A cache of all of them. */
export type RevocationCache = Cache<TokenRevocation, TokenRevocation>;

/** Makes the cache, of the whole cluster; nothing is read before it is started. */
export function revocationCache(
  cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>,
): RevocationCache {
  return new Cache<TokenRevocation, TokenRevocation>({ ...cache, type: TOKEN_REVOCATION, project: record });
}

/** Keeps of the metadata what is used, and not what is only for people. */
function record({ metadata, spec, status }: TokenRevocation): TokenRevocation {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = metadata;
  const { reason: _, ...kept } = spec ?? {};
  return {
    metadata: { name, namespace, uid, resourceVersion, generation, creationTimestamp },
    spec: kept,
    ...(status === undefined ? {} : { status }),
  };
}
