/** Makes a request of the tests at an API server, as somebody. */

import { apiVersionOf } from '../../../src/kube/object.ts';
import { collectionPath } from '../../../src/kube/resource-path.ts';
import { type Answer, answerOf } from './answer.ts';
import type { ApiServer, Caller, Received, Sent } from './api-server.ts';
import { type Manifest, type Request, resourceOf, type Target } from './request.ts';

/** Somebody else may write a status between reading and replacing: then it is done anew. */
const MAX_CONFLICTS = 10;

const CONFLICT = 409;
/** A webhook on a busy machine may need longer than its time-out: that says nothing about who may do what. */
const MAX_LATE_ANSWERS = 2;

/** Asks, and takes the answer apart. A dry run goes through the same admission and stores nothing. */
export async function ask(
  server: ApiServer,
  request: Request,
  { caller, dryRun = false }: { readonly caller?: Caller; readonly dryRun?: boolean } = {},
): Promise<Answer> {
  return answerOf(await send(server, request, { caller, dryRun }));
}

async function send(
  server: ApiServer,
  request: Request,
  { caller, dryRun }: { readonly caller: Caller | undefined; readonly dryRun: boolean },
): Promise<Received> {
  const { verb, as } = request;
  if (verb === 'impersonate' && as !== undefined && caller !== undefined && 'token' in caller)
    return server.ask({ method: 'GET', path: '/api/v1/namespaces' }, { ...caller, impersonates: as });
  const isRead = verb === 'get' || verb === 'list';
  let lateAnswers = 0;
  for (let conflicts = 0; ; ) {
    const sent = await sentOf(server, request);
    const query = { ...sent.query, ...(dryRun && !isRead ? { dryRun: 'All' } : {}) };
    const received = await server.ask({ ...sent, query }, caller);
    if (isLate(received) && lateAnswers++ < MAX_LATE_ANSWERS) continue;
    if (verb !== 'update' || received.status !== CONFLICT || conflicts++ === MAX_CONFLICTS) return received;
  }
}

function isLate({ status, body }: Received): boolean {
  return status === 500 && JSON.stringify(body ?? '').includes('context deadline exceeded');
}

async function sentOf(server: ApiServer, { verb, target, body, query = {} }: Request): Promise<Sent> {
  const path = pathOf(target);
  switch (verb) {
    case 'create':
      return { method: 'POST', path, query, body: whole(target, body) };
    case 'update': {
      const stored = await server.ask({ method: 'GET', path });
      return { method: 'PUT', path, query, body: merged(stored.body, body) };
    }
    case 'merge patch':
      return { method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body };
    case 'JSON patch':
      return { method: 'PATCH', path, query, contentType: 'application/json-patch+json', body };
    case 'apply':
      return {
        method: 'PATCH',
        path,
        query: { fieldManager: 'admission-test', force: 'true', ...query },
        contentType: 'application/apply-patch+yaml',
        body: whole(target, body),
      };
    case 'delete':
    case 'deletecollection':
      return { method: 'DELETE', path, query };
    default:
      return { method: 'GET', path, query };
  }
}

/** Path of a target on the server. */
export function pathOf(target: Target): string {
  const type = resourceOf(target);
  const collection = collectionPath(type, type.namespaced ? target.namespace : undefined);
  return [collection, target.name, target.subresource].filter((part) => part !== undefined).join('/');
}

/** Bodies of subresources have kinds of their own, which they name. */
function whole(target: Target, body: unknown): unknown {
  const type = resourceOf(target);
  if (target.subresource !== undefined && target.subresource !== 'status') return body;
  return { apiVersion: apiVersionOf(type), ...(body as Manifest) };
}

/** RFC 7396. */
function merged(object: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(object) ? { ...object } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
