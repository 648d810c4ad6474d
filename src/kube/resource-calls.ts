/** The calls behind the verbs, as data: method, path, query, body and content type of the Kubernetes API conventions. */

import type { Call } from './call.ts';
import type { KubeObject, ObjectMeta, ResourceType } from './object.ts';
import { apiVersionOf } from './object.ts';
import type { ObjectName } from './resource-path.ts';
import { collectionPath, objectPath } from './resource-path.ts';

/** Accepted when only `metadata` is wanted; without a plain alternative, so that a mistake is a 406. */
export const METADATA_OBJECT = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** What every call can be given. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, retries included. */
  readonly timeoutMs?: number | undefined;
  readonly channel?: Call['channel'];
}

/** Which objects of a type. */
export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only `metadata` is sent. */
  readonly metadataOnly?: boolean | undefined;
}

/** One page of a list; `continue` is the token of the page before. */
export interface PageSelection extends Selection {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** Conditions under which an object may be deleted, and what happens to its dependents. */
export interface DeleteConditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** Metadata that names one state of one object. */
export type ObservedMeta = ObjectMeta & { readonly uid: string; readonly resourceVersion: string };

/** GET of one object. */
export function getCall(type: ResourceType, target: ObjectName, metadataOnly = false): Call {
  const accept = metadataOnly ? { accept: METADATA_OBJECT } : {};
  return { ...callOn('get', type, target), method: 'GET', path: objectPath(type, target), ...accept };
}

/** GET of one page of a collection. */
export function listCall(type: ResourceType, page: PageSelection): Call {
  const { namespace, metadataOnly = false, ...query } = page;
  return {
    subject: { verb: 'list', type, namespace },
    method: 'GET',
    path: collectionPath(type, namespace),
    query,
    ...(metadataOnly ? { accept: METADATA_LIST } : {}),
  };
}

/** POST. */
export function createCall(type: ResourceType, object: KubeObject, fieldManager: string): Call {
  const { metadata } = object;
  if (type.namespaced && !metadata.namespace) throw new TypeError(`${type.plural} need a namespace`);
  return {
    ...callOn('create', type, metadata),
    method: 'POST',
    path: collectionPath(type, metadata.namespace),
    query: { fieldManager, fieldValidation: 'Strict' },
    body: typed(type, object),
  };
}

/**
 * PUT of the whole object; the server refuses it (409) unless uid and resourceVersion are the current ones.
 *
 * @throws TypeError when either is missing: the write would be unconditional.
 */
export function replaceCall(type: ResourceType, object: KubeObject, fieldManager: string): Call {
  assertObserved(type, object.metadata);
  return {
    ...callOn('update', type, object.metadata),
    method: 'PUT',
    path: objectPath(type, object.metadata),
    query: { fieldManager, fieldValidation: 'Strict' },
    body: typed(type, object),
  };
}

/** Server-side apply of the object or of its status. `force` takes fields over from other managers. */
export function applyCall(
  type: ResourceType,
  object: KubeObject,
  options: { readonly fieldManager: string; readonly force: boolean; readonly subresource?: 'status' },
): Call {
  const { fieldManager, force, subresource } = options;
  return {
    ...callOn('apply', type, object.metadata),
    method: 'PATCH',
    path: objectPath(type, object.metadata, subresource),
    query: { fieldManager, force, fieldValidation: 'Strict' },
    contentType: 'application/apply-patch+yaml',
    body: typed(type, object),
  };
}

/** Merge patch (RFC 7396). */
export function mergePatchCall(
  type: ResourceType,
  target: ObjectName & { readonly patch: object },
  fieldManager: string,
): Call {
  return {
    ...callOn('patch', type, target),
    method: 'PATCH',
    path: objectPath(type, target),
    query: { fieldManager, fieldValidation: 'Strict' },
    contentType: 'application/merge-patch+json',
    body: target.patch,
  };
}

/** Steps of a JSON patch, RFC 6902. */
export type JsonPatch = readonly {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}[];

/** JSON patch. */
export function jsonPatchCall(
  type: ResourceType,
  target: ObjectName & { readonly patch: JsonPatch },
  fieldManager: string,
): Call {
  return { ...mergePatchCall(type, target, fieldManager), contentType: 'application/json-patch+json' };
}

/** DELETE under conditions. */
export function deleteCall(type: ResourceType, target: ObjectName, conditions: DeleteConditions): Call {
  const { propagationPolicy, ...preconditions } = conditions;
  return {
    ...callOn('delete', type, target),
    method: 'DELETE',
    path: objectPath(type, target),
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy },
  };
}

/** @throws TypeError when uid or resourceVersion is missing. */
export function assertObserved(type: ResourceType, metadata: ObjectMeta): asserts metadata is ObservedMeta {
  if (!metadata.uid || !metadata.resourceVersion) {
    throw new TypeError(`${type.plural} are replaced only with the observed uid and resourceVersion`);
  }
}

function callOn(verb: string, type: ResourceType, target: ObjectName): Pick<Call, 'subject'> {
  return { subject: { verb, type, namespace: target.namespace, name: target.name } };
}

function typed(type: ResourceType, object: KubeObject): KubeObject {
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
}
