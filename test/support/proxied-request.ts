/** A request of the Kubernetes API as a proxy sees it: which verb on which object. */

import type { IncomingMessage } from 'node:http';

/** What faults are chosen by. */
export interface ProxiedRequest {
  readonly method: string;
  /** Plural name of the type, such as `secrets`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  /** Of the object; undefined for a collection. For a POST it stands in the body. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly isWatch: boolean;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

/** Chooses requests. */
export type Match = (request: ProxiedRequest) => boolean;

/** Every request. */
export const anything: Match = () => true;

/** Writes of objects of a type. `methods` are all that write when none is given; status is a type of its own. */
export function writes(resource: string, ...methods: readonly string[]): Match {
  return (request) =>
    request.resource === resource &&
    request.subresource === undefined &&
    (methods.length === 0 ? request.method !== 'GET' : methods.includes(request.method));
}

/** Writes of the status of objects of a type. */
export function statusWrites(resource: string): Match {
  return (request) => request.resource === resource && request.subresource === 'status';
}

/** Watches of a type; of one namespace if it is given. */
export function watches(resource: string, namespace?: string): Match {
  return (request) =>
    request.isWatch &&
    request.resource === resource &&
    (namespace === undefined || request.namespace === namespace);
}

/** Lists of a type, or of any. */
export function lists(resource?: string): Match {
  return ({ method, name, isWatch, resource: found }) =>
    method === 'GET' && name === undefined && !isWatch && (resource === undefined || resource === found);
}

/** Reads the line and the body of a request. */
export function readRequest({ method = 'GET', url = '/' }: IncomingMessage, body: Buffer): ProxiedRequest {
  const { pathname, searchParams } = new URL(url, 'https://proxy');
  const steps = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  // /api/<version>/... or /apis/<group>/<version>/...
  const scoped = steps.slice(steps[0] === 'api' ? 2 : 3);
  const isNamespaced = scoped[0] === 'namespaces' && scoped.length > 2;
  const [resource = '', name, subresource] = isNamespaced ? scoped.slice(2) : scoped;
  const parsed: unknown = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
  return {
    method,
    resource,
    namespace: isNamespaced ? scoped[1] : undefined,
    name: name ?? (method === 'POST' ? nameIn(parsed) : undefined),
    subresource,
    isWatch: searchParams.has('watch'),
    query: searchParams,
    body: parsed,
  };
}

function nameIn(body: unknown): string | undefined {
  return (body as { readonly metadata?: { readonly name?: string } } | undefined)?.metadata?.name;
}
