/** Where resources live on the API server. */

import type { ResourceType } from './object.ts';

/** An object's place within its type. */
export interface ObjectName {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/**
 * Path of a collection, percent-encoded: of one namespace, or of the whole cluster without `namespace`.
 *
 * @throws TypeError when a cluster-scoped type is given a namespace.
 */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (namespace === undefined) return `${root}/${type.plural}`;
  if (!type.namespaced) throw new TypeError(`${type.plural} have no namespace`);
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${type.plural}`;
}

/**
 * Path of one object, or of a subresource of it; percent-encoded.
 *
 * @throws TypeError when the namespace is missing or too much, or the name is empty.
 */
export function objectPath(type: ResourceType, target: ObjectName, subresource?: 'status'): string {
  if (type.namespaced && !target.namespace) throw new TypeError(`${type.plural} need a namespace`);
  // An empty name would address the whole collection.
  if (target.name === '') throw new TypeError(`${type.plural} need a name`);
  const path = `${collectionPath(type, target.namespace)}/${encodeURIComponent(target.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
