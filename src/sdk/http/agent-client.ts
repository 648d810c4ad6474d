/** Calls to other agents: who is meant, a token for each try, a connection to nobody else, and a name for every failure. */

import { setTimeout as after } from 'node:timers/promises';
import { randomOctets } from '../../crypto/random-octets.ts';
import { TOKEN_LIMITS } from '../../domain/token/claims.ts';
import { REFUSAL_HEADER, readRefusalName } from '../../domain/token/wire/refusal-answer.ts';
import type { AgentCore, Delegated, ParentToken } from './agent-core.ts';
import { audienceAt, audienceOf, reachedAt } from './audience.ts';
import { CallFailed, type CallFailure, type CallFailureCode } from './call-failed.ts';
import { ConnectionPools, type PoolOptions } from './connection-pools.ts';
import { type ExchangeFailure, type ExchangeRequest, exchange } from './exchange.ts';
import { type CallInit, type OutgoingRequest, outgoingRequest } from './outgoing-request.ts';
import { type RetryLimits, readRetryAfter, retryDelayMs } from './retry.ts';

/** Everything has a default. */
export interface ClientOptions extends PoolOptions {
  readonly retry?: RetryLimits;
}

/** Larger heads are refused by Node's servers; the rest is for the request line and what the connection adds. */
const MAX_FIELDS_BYTES = 15_360;
const MAX_DISCARDED_BYTES = 65_536;

/** An answer that is no refusal of ours, or how the try failed. */
type Tried =
  | { readonly kind: 'answer'; readonly response: Response; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: 'failed'; readonly failed: CallFailed; readonly reason: ExchangeFailure['reason'] }
  | { readonly kind: 'refused'; readonly failed: CallFailed };

interface Call {
  readonly request: OutgoingRequest;
  readonly audience: string;
  readonly parent: ParentToken | undefined;
}

/** The client of one agent. Has to be closed. */
export class AgentClient {
  readonly #core: AgentCore;
  readonly #pools: ConnectionPools;
  readonly #retry: RetryLimits;
  readonly #pauses = new Set<AbortController>();
  #isClosed = false;

  constructor(core: AgentCore, { retry = {}, ...pools }: ClientOptions = {}) {
    this.#core = core;
    this.#pools = new ConnectionPools(core, pools);
    this.#retry = retry;
  }

  /**
   * Calls an agent. Redirects are not followed: a token is for one audience.
   *
   * @param url https; its host names the agent.
   * @param parent Of the call on behalf of which this one is made; absent means for this agent itself.
   * @returns The answer, whatever its status, as long as it is no refusal. Its body has to be read or cancelled.
   * @throws CallFailed
   */
  async fetch(url: string | URL, init: CallInit, parent?: ParentToken): Promise<Response> {
    const asked = outgoingRequest(url, init, { nowMs: Date.now(), random: randomOctets(10) });
    const { bundle, namespace } = this.#core.current;
    const { hostname, host } = asked.url;
    const audience =
      bundle && (audienceOf(hostname, bundle.policy, namespace) ?? audienceAt(host, bundle.policy));
    if (bundle === undefined || audience === undefined)
      throw new CallFailed('unknown_audience', 'the host of the URL is no agent that the policy knows', {});
    const request = { ...asked, url: reachedAt(asked.url, audience, bundle.policy) };
    return this.#callUntilDone({ request, audience, parent });
  }

  /** Breaks off whatever is under way. */
  close(): Promise<void> {
    this.#isClosed = true;
    for (const over of this.#pauses) over.abort();
    return this.#pools.close();
  }

  async #callUntilDone(call: Call): Promise<Response> {
    const { request } = call;
    const soFar = { attempts: 0, mayHaveRun: false, transaction: call.parent?.accepted.claims.txn };
    for (;;) {
      const delegated = this.#mint(call, soFar);
      soFar.transaction = delegated.transaction;
      soFar.attempts += 1;
      const tried = await this.#try(call, delegated, soFar);
      const delayMs = this.#delayAfter(tried, request, soFar.attempts);
      if (delayMs === undefined) {
        if (tried.kind === 'answer') return tried.response;
        throw tried.failed;
      }
      if (tried.kind === 'answer') await discard(tried.response);
      else soFar.mayHaveRun ||= tried.failed.wasSent;
      await this.#pause(delayMs, request.signal, soFar);
    }
  }

  #mint({ request, audience, parent }: Call, soFar: SoFar): Delegated {
    const { transaction } = soFar;
    if (request.signal?.aborted) throw abandoned(request.signal.reason, soFar);
    const delegated = this.#core.delegate({
      ...request.delegate,
      to: audience,
      ...(parent === undefined ? {} : { parent }),
      ...(transaction === undefined || parent !== undefined ? {} : { transaction }),
    });
    if (delegated.kind === 'delegated') return delegated;
    const message = `not called: ${delegated.name}: ${delegated.message}`;
    throw failure('refused', message, soFar, { refusal: delegated.name, refusedBy: 'self' });
  }

  /** Whatever is sent under a token has the certificate of the moment in which the token was minted. */
  async #try({ request, audience }: Call, delegated: Delegated, soFar: SoFar): Promise<Tried> {
    const headers = fieldsOf(request, delegated, soFar);
    const pool = this.#pools.poolFor(request.url.origin, audience);
    if (pool === undefined) throw closed(soFar);
    const { method, url, body, signal } = request;
    const sent: ExchangeRequest = { method, path: `${url.pathname}${url.search}`, headers, body, signal };
    const result = await exchange(pool, sent);
    if (result.kind === 'failed') {
      const { reason } = result;
      return { kind: 'failed', failed: failedExchange(result, soFar), reason };
    }
    return readAnswer(result.response, soFar);
  }

  /** Each pause has a signal of its own, so that a signal that lives long collects no listeners. */
  async #pause(delayMs: number, signal: AbortSignal | undefined, soFar: SoFar): Promise<void> {
    if (this.#isClosed) throw closed(soFar);
    if (signal?.aborted) throw abandoned(signal.reason, soFar);
    const over = new AbortController();
    const end = (): void => over.abort();
    this.#pauses.add(over);
    signal?.addEventListener('abort', end, { once: true });
    try {
      await after(delayMs, undefined, { signal: over.signal });
    } catch {
      throw signal?.aborted ? abandoned(signal.reason, soFar) : closed(soFar);
    } finally {
      this.#pauses.delete(over);
      signal?.removeEventListener('abort', end);
    }
  }

  #delayAfter(tried: Tried, { isIdempotent, body }: OutgoingRequest, attempts: number): number | undefined {
    const canReplay = body === null || body instanceof Uint8Array;
    const limits = this.#retry;
    return retryDelayMs(
      { attempts, result: resultOf(tried) },
      { isIdempotent, canReplay },
      { limits, random: Math.random() },
    );
  }
}

/** What is known of a call after some tries. */
interface SoFar {
  readonly attempts: number;
  readonly mayHaveRun: boolean;
  readonly transaction: string | undefined;
}

function failure(code: CallFailureCode, message: string, soFar: SoFar, more: CallFailure): CallFailed {
  const { attempts, mayHaveRun, transaction } = soFar;
  return new CallFailed(code, message, {
    ...more,
    attempts,
    wasSent: mayHaveRun || (more.wasSent ?? false),
    ...(transaction === undefined ? {} : { transaction }),
  });
}

function fieldsOf(request: OutgoingRequest, delegated: Delegated, soFar: SoFar): string[] {
  const { token, chain, binding } = delegated;
  const { method, url, headers } = request;
  const isProven = binding === 'Key';
  const authorization = `${isProven ? 'DPoP' : 'Bearer'} ${token}`;
  const proof = isProven ? delegated.prove(method, `${url.origin}${url.pathname}`) : '';
  const parents = chain.join(', ');
  const presented = authorization.length + proof.length + parents.length;
  const fields = [
    ...[...headers].flat(),
    ...['authorization', authorization],
    ...(isProven ? ['dpop', proof] : []),
    ...(chain.length > 0 ? ['agent-delegation-chain', parents] : []),
  ];
  const bytes = fields.reduce((sum, text) => sum + text.length + 2, url.pathname.length + url.search.length);
  if (
    token.length > TOKEN_LIMITS.tokenBytes ||
    chain.length > TOKEN_LIMITS.parents ||
    presented > TOKEN_LIMITS.presentationBytes ||
    bytes > MAX_FIELDS_BYTES
  )
    throw failure('too_large', 'token, chain and header fields do not fit into one request', soFar, {});
  return fields;
}

async function readAnswer(response: Response, soFar: SoFar): Promise<Tried> {
  const { status, headers } = response;
  const refusal = readRefusalName(status, headers.get(REFUSAL_HEADER));
  const retryAfterSeconds = readRetryAfter(headers.get('retry-after'), Date.now());
  if (refusal === undefined) return { kind: 'answer', response, retryAfterSeconds };
  await discard(response);
  const more = {
    refusal,
    refusedBy: 'audience',
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  } as const;
  const failed =
    refusal === 'replayed'
      ? // Every token is sent once. If it was there before, somebody on the way has sent it too.
        failure('outcome_unknown', 'somebody else has used the token', soFar, { ...more, wasSent: true })
      : failure('refused', `refused by the audience: ${refusal}`, soFar, more);
  return { kind: 'refused', failed };
}

function failedExchange({ reason, wasSent, cause }: ExchangeFailure, soFar: SoFar): CallFailed {
  switch (reason) {
    case 'aborted':
      return abandoned(cause, soFar, wasSent);
    case 'wrong_server':
      return failure('wrong_server', `who answers there is not the audience${because(cause)}`, soFar, {});
    case 'unreachable':
      return failure('unreachable', `nobody takes the call there${because(cause)}`, soFar, {});
    case 'lost': {
      const message = `the call was sent, and no answer came${because(cause)}`;
      return failure('outcome_unknown', message, soFar, { wasSent });
    }
  }
}

/** Only the code: some errors of a connection hold what came over it, and that may be the token again. */
function because(cause: unknown): string {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}

function closed(soFar: SoFar): CallFailed {
  return failure('aborted', 'the agent was closed', soFar, {});
}

function abandoned(cause: unknown, soFar: SoFar, wasSent = false): CallFailed {
  const isTime = cause instanceof Error && cause.name === 'TimeoutError';
  return isTime
    ? failure('timed_out', 'no answer in the time that the caller gave', soFar, { cause, wasSent })
    : failure('aborted', 'the caller gave up', soFar, { cause, wasSent });
}

function resultOf(tried: Tried): Parameters<typeof retryDelayMs>[0]['result'] {
  if (tried.kind === 'failed') return { kind: 'failed', reason: tried.reason };
  const { status, refusal, retryAfterSeconds } =
    tried.kind === 'refused' ? tried.failed : { ...tried, status: tried.response.status, refusal: undefined };
  return { kind: 'answer', status: status ?? 0, refusal, retryAfterSeconds };
}

/** Reads a body that nobody wants, so that the connection can be used again; a long one is not worth it. */
async function discard({ body }: Response): Promise<void> {
  if (body === null) return;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_DISCARDED_BYTES) break; // cancels it
    }
  } catch {
    // The connection ended meanwhile; nobody needs it.
  }
}
