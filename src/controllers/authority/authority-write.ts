/** Writing the objects of the authority through the fence. */

import type { CONFIG_MAP, SECRET } from '../../kube/core-types.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import type { Secret } from '../identity/secret.ts';

/** What is written, and over what. */
export interface AuthorityWrite<T> {
  readonly type: typeof SECRET | typeof CONFIG_MAP;
  readonly desired: T;
  /** What it replaces. */
  readonly record: { readonly metadata: ObjectMeta; readonly immutable: boolean } | undefined;
}

/** Writes an object of the authority as a whole. Resolves with it as it is on the server. @throws KubeError. */
export function writeOver<T extends Secret | ConfigMap>(
  writer: FencedWriter,
  { type, desired, record }: AuthorityWrite<T>,
  signal: AbortSignal,
): Promise<T> {
  if (record === undefined) return writer.create(type, desired, { signal });
  const replacement = { desired, observed: record.metadata };
  // Written over wherever that is possible: between a delete and a create the key would be in this process only.
  return record.immutable
    ? writer.recreate(type, replacement, { signal })
    : writer.replace(type, replacement, { signal });
}
