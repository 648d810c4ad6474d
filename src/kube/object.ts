/** Kubernetes objects as plain JSON. Never classes: what the server sends is what is kept and sent back. */

/** Where a kind lives on the server. `group` is empty for the core group. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** ObjectMeta of meta/v1, the fields that are used. Timestamps stay RFC 3339 strings. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Any object. `apiVersion` and `kind` are absent on items of a list. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** `namespace/name`, or `name` for a cluster-scoped object. The key of caches and queues. */
export type Key = string;

/** The key of an object. */
export function keyOf(metadata: Pick<ObjectMeta, 'name' | 'namespace'>): Key {
  const { namespace, name } = metadata;
  // Not a template: V8 keeps that as a tree of its parts, of twice the size.
  return namespace === undefined ? name : [namespace, name].join('/');
}

/** Splits a key; `namespace` is undefined for a cluster-scoped object. */
export function splitKey(key: Key): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `apiVersion` of a type, `v1` for the core group. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Metadata to keep and to carry over into a write: all of it as read, but managedFields, a quarter of an object. */
export function keptMetadata(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _, ...kept } = metadata as ObjectMeta & { readonly managedFields?: unknown };
  return kept;
}
