/** Requests to an API server as data: what is asked for, not who asks. */

import type { ResourceType } from '../../../src/kube/object.ts';
import { typeOf } from './kinds.ts';

/** An object as people write it, without apiVersion. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly object[];
  };
  readonly [field: string]: unknown;
}

/** What a request is about. Without a name it is the collection. */
export interface Target {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string;
}

/** How a request is made; in RBAC the three patches are `patch`. */
export type Verb =
  | 'get'
  | 'list'
  | 'create'
  | 'update'
  | 'merge patch'
  | 'JSON patch'
  | 'apply'
  | 'delete'
  | 'deletecollection'
  | 'impersonate';

/** One request. */
export interface Request {
  readonly verb: Verb;
  readonly target: Target;
  /** The object; for `update` an RFC 7396 change of the stored one; for the patches what is sent. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  /** What `impersonate` asks to be. */
  readonly as?: string;
}

/** Where the kind of a target lives. */
export function resourceOf({ kind }: Target): ResourceType {
  return typeOf(kind);
}

/** POST of an object. */
export function create(manifest: Manifest): Request {
  const { kind, metadata } = manifest;
  return { verb: 'create', target: { kind, namespace: metadata.namespace }, body: manifest };
}

/** POST to a subresource, such as pods/exec, pods/eviction, serviceaccounts/token. */
export function call(target: Target & { readonly subresource: string }, body: object = {}): Request {
  return { verb: 'create', target, body };
}

/** PUT of the stored object with an RFC 7396 change. */
export function update(target: Target, change: object): Request {
  return { verb: 'update', target, body: change };
}

/** PATCH, RFC 7396. */
export function mergePatch(target: Target, patch: object): Request {
  return { verb: 'merge patch', target, body: patch };
}

/** PATCH, RFC 6902. */
export function jsonPatch(target: Target, ...operations: readonly object[]): Request {
  return { verb: 'JSON patch', target, body: operations };
}

/** Server-side apply that takes over what others own. */
export function apply(manifest: Manifest): Request {
  const { kind, metadata } = manifest;
  const target = { kind, namespace: metadata.namespace, name: metadata.name };
  return { verb: 'apply', target, body: manifest };
}

/** DELETE of one object, or of a collection when the target has no name. */
export function remove(target: Target, query: Readonly<Record<string, string>> = {}): Request {
  return { verb: target.name === undefined ? 'deletecollection' : 'delete', target, query };
}

/** GET of one object, or of a collection when the target has no name. */
export function read(target: Target): Request {
  return { verb: target.name === undefined ? 'list' : 'get', target };
}

/** Any request under another name, by the header Impersonate-User. */
export function impersonate(as: string): Request {
  return { verb: 'impersonate', target: { kind: 'Namespace' }, as };
}
