/** A call as its author writes it, checked and made ready to be sent any number of times. */

import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { uuidV7 } from '../../domain/token/mint/uuid-v7.ts';
import type { DelegateOptions } from './agent-core.ts';
import { CallFailed } from './call-failed.ts';
import { delegateOptions } from './wish-form.ts';

/** What a call is made with: that of `fetch`, as far as it means something here, and what the token is to say. */
export interface CallInit {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /** A stream can be sent once only, so such a call is never tried again. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array> | null;
  readonly signal?: AbortSignal | null;
  readonly delegate: DelegateOptions;
}

/** A call that can be made. */
export interface OutgoingRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly url: URL;
  /** With `idempotency-key` where the method is not idempotent. */
  readonly headers: Headers;
  readonly body: Uint8Array | Readable | null;
  readonly signal: AbortSignal | undefined;
  readonly delegate: DelegateOptions;
  /** Whether it may be executed twice without harm, as far as its author says. */
  readonly isIdempotent: boolean;
}

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'] as const;
const METHODS: ReadonlySet<string> = new Set([...IDEMPOTENT, 'POST', 'PATCH']);
/** Of the connection, or written here. */
const OURS = [
  'authorization',
  'dpop',
  'agent-delegation-chain',
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
] as const;

/**
 * Checks a call.
 *
 * @param random 10 octets that nobody can guess, for the key that tells the tries of one call to be one.
 * @throws CallFailed `invalid_request`.
 */
export function outgoingRequest(
  url: string | URL,
  init: CallInit,
  { nowMs, random }: { readonly nowMs: number; readonly random: Uint8Array },
): OutgoingRequest {
  const fault = delegateOptions(init?.delegate, 'delegate');
  if (fault !== undefined) throw invalid(fault);
  const method = String(init.method ?? 'GET').toUpperCase();
  if (!isMethod(method)) throw invalid('the method is none that agents are called with');
  const target = URL.parse(String(url)) ?? undefined;
  if (target?.protocol !== 'https:' || target.username !== '' || target.password !== '')
    throw invalid('the URL must be an https URL without user and password');
  const body = bodyOf(init.body ?? null);
  if (body !== null && (method === 'GET' || method === 'HEAD')) throw invalid(`${method} has no body`);
  const headers = headersOf(init);
  const isIdempotent = IDEMPOTENT.some((each) => each === method) || headers.has('idempotency-key');
  if (!isIdempotent) headers.set('idempotency-key', `"${uuidV7(nowMs, random)}"`);
  const { signal, delegate } = init;
  return { method, url: target, headers, body, signal: signal ?? undefined, delegate, isIdempotent };
}

function isMethod(method: string): method is Dispatcher.HttpMethod {
  return METHODS.has(method);
}

function headersOf({ headers: given, body }: CallInit): Headers {
  let headers: Headers;
  try {
    headers = new Headers(given);
  } catch {
    throw invalid('a header field is not of its form');
  }
  const ours = OURS.find((name) => headers.has(name));
  if (ours !== undefined) throw invalid(`the header field ${ours} is written by the SDK alone`);
  if (typeof body === 'string' && !headers.has('content-type'))
    headers.set('content-type', 'text/plain;charset=UTF-8');
  return headers;
}

function bodyOf(body: NonNullable<CallInit['body']> | null): OutgoingRequest['body'] {
  if (body === null || body instanceof Uint8Array) return body;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof ReadableStream) return Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  throw invalid('the body must be a string, a Uint8Array or a ReadableStream');
}

function invalid(message: string): CallFailed {
  return new CallFailed('invalid_request', message, {});
}
