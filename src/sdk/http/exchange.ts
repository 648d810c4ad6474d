/** One HTTP request and its answer over a pool: sent once, never redirected, and sure of whether anything was sent. */

import type { Dispatcher } from 'undici';
import { WrongServer } from './connection-pools.ts';

/** A request as it goes on the wire. */
export interface ExchangeRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: NonNullable<Dispatcher.DispatchOptions['body']> | null;
  readonly signal: AbortSignal | undefined;
}

/** How a request fails without an answer. */
export interface ExchangeFailure {
  readonly kind: 'failed';
  /** `lost`: the connection, or the time for an answer, ended after something was sent. */
  readonly reason: 'wrong_server' | 'unreachable' | 'aborted' | 'lost';
  /** Whether the other side may have executed it. */
  readonly wasSent: boolean;
  readonly cause: unknown;
}

/** The head of an answer, whatever its status; the body is read as the caller does. */
export type ExchangeResult = { readonly kind: 'answer'; readonly response: Response } | ExchangeFailure;

const BUFFERED_BYTES = 65_536;
/** RFC 9110 section 6.4.1. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
/** What OpenSSL finds wrong with a chain, by the names that Node gives it. */
const BAD_CHAIN =
  /^(?:CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|ERROR_IN_CERT_)/;
/** The server takes no request from the holder of this certificate: an alert of the handshake, RFC 8446 section 6.2. */
const CERTIFICATE_ALERT =
  /^ERR_SSL_(?:TLSV\d+|SSLV\d+)_ALERT_(?:CERTIFICATE_|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

/** Sends it. Never rejects. */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<ExchangeResult> {
  const { promise, resolve } = Promise.withResolvers<ExchangeResult>();
  new Exchange(request, resolve).dispatch(dispatcher);
  return promise;
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #resolve: (result: ExchangeResult) => void;
  #connection: Dispatcher.DispatchController | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOver = false;

  constructor(request: ExchangeRequest, resolve: (result: ExchangeResult) => void) {
    this.#request = request;
    this.#resolve = resolve;
  }

  dispatch(dispatcher: Dispatcher): void {
    const { method, path, headers, body, signal } = this.#request;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    dispatcher.dispatch({ method, path, headers, body }, this);
  }

  onRequestStart(connection: Dispatcher.DispatchController): void {
    // A throw takes the request back and leaves the connection usable for the next one.
    if (this.#isOver) throw new Error('given up while waiting for a connection');
    this.#connection = connection;
  }

  onResponseStart(
    _connection: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#isOver) return;
    const isEmpty = this.#request.method === 'HEAD' || WITHOUT_BODY.has(status);
    try {
      const response = new Response(isEmpty ? null : this.#stream(), { status, headers: headersOf(headers) });
      this.#resolve({ kind: 'answer', response });
    } catch (error) {
      this.#fail(error); // a status or header field that HTTP does not have
    }
  }

  onResponseData(connection: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver || this.#body === undefined) return;
    this.#body.enqueue(chunk);
    if ((this.#body.desiredSize ?? 0) <= 0) connection.pause();
  }

  onResponseEnd(): void {
    if (this.#end()) this.#body?.close();
  }

  onResponseError(_connection: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#request.signal?.reason;
    this.#fail(cause, 'aborted');
  };

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        pull: () => this.#connection?.resume(),
        cancel: () => {
          if (this.#end()) this.#connection?.abort(new Error('the body is not wanted'));
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFERED_BYTES }),
    );
  }

  #fail(cause: unknown, reason?: 'aborted'): void {
    if (!this.#end()) return;
    const wasSent = this.#connection !== undefined && !isCertificateAlert(cause);
    this.#resolve({ kind: 'failed', reason: reason ?? reasonOf(cause, wasSent), wasSent, cause });
    this.#body?.error(cause);
    this.#connection?.abort(cause instanceof Error ? cause : new Error('given up'));
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

function reasonOf(cause: unknown, wasSent: boolean): ExchangeFailure['reason'] {
  if (wasSent) return 'lost';
  return cause instanceof WrongServer || BAD_CHAIN.test(codeOf(cause)) ? 'wrong_server' : 'unreachable';
}

function isCertificateAlert(cause: unknown): boolean {
  return CERTIFICATE_ALERT.test(codeOf(cause));
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : '';
}

function headersOf(fields: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields))
    for (const line of Array.isArray(value) ? value : [value ?? '']) headers.append(name, line);
  return headers;
}
