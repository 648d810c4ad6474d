/** The one place that writes a status, and only when it says something new. */

import { isDeepStrictEqual } from 'node:util';
import type { Cache } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';

/** An object that was read from the server, with its status. */
export interface WithStatus extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
  readonly status?: object;
}

/** What writing needs. */
export interface StatusPorts<O extends WithStatus> {
  readonly client: Pick<KubeClient, 'applyStatus'>;
  readonly type: ResourceType;
  readonly cache: Pick<Cache<O, O>, 'observe'>;
}

/** Writes `status` when `object` has another; resolves with whether it did. An object that is gone needs none. */
export type WriteStatus<O extends WithStatus> = (
  object: O,
  status: NonNullable<O['status']>,
  signal: AbortSignal,
) => Promise<boolean>;

/** Makes the function that writes. */
export function statusWriter<O extends WithStatus>({ client, type, cache }: StatusPorts<O>): WriteStatus<O> {
  return async (object, status, signal) => {
    if (isDeepStrictEqual(status, object.status)) return false;
    const { name, namespace, uid } = object.metadata;
    const metadata = { name, uid, ...(namespace === undefined ? {} : { namespace }) };
    try {
      cache.observe(await client.applyStatus<O>(type, { metadata, status }, { signal }));
      return true;
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return false;
      throw error;
    }
  };
}
