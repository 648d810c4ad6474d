/** One HTTP request and its answer over an undici dispatcher: bounded, abortable, and sure of whether it was sent. */

import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import type { KubeErrorCode, RequestSubject } from './errors.ts';
import { describeSubject, KubeError } from './errors.ts';
import { isRead } from './status-error.ts';

/** A request as it goes on the wire, and the limits it runs under. */
export interface ExchangeRequest {
  readonly subject: RequestSubject;
  readonly method: Dispatcher.HttpMethod;
  /** Path and query, already percent-encoded. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** From now to the end of the answer, waiting for a connection included. */
  readonly timeoutMs: number | undefined;
  /** Longest silence within the body of the answer. */
  readonly bodyTimeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly clock: Clock;
  /** Called when a connection is free and nothing is sent yet; a throw keeps the request from being sent. */
  readonly beforeSend: (() => void) | undefined;
  readonly onStart: ((start: AnswerStart) => void) | undefined;
  /** Takes the body of a 200 chunk by chunk, synchronously; it is then neither kept nor bounded. */
  readonly onData: ((chunk: Buffer) => void) | undefined;
}

/** The head of an answer. */
export interface AnswerStart {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** From the moment of sending to the head of the answer. */
  readonly elapsedMs: number;
}

/** A whole answer, whatever its status. */
export interface Answer extends AnswerStart {
  readonly body: Buffer;
}

/**
 * Sends a request once.
 *
 * @throws KubeError KUBE_ABORTED, KUBE_UNAVAILABLE (no connection, reset, timeout) or KUBE_PROTOCOL with reason
 * `AnswerTooLarge`; `lost` when it is a write and bytes of it may have left. Whatever `beforeSend` or `onData` throws.
 */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    new Exchange(request, { resolve, reject }).dispatch(dispatcher);
  });
}

interface Outcome {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #outcome: Outcome;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #sentAtMs: number | undefined;
  #start: AnswerStart | undefined;
  #receivedBytes = 0;
  #settled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(request: ExchangeRequest, outcome: Outcome) {
    this.#request = request;
    this.#outcome = outcome;
  }

  dispatch(dispatcher: Dispatcher): void {
    const { signal, timeoutMs, method, path, headers, body = null, bodyTimeoutMs } = this.#request;
    if (signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#fail(this.#error('KUBE_UNAVAILABLE', 'Timeout')), timeoutMs);
    }
    dispatcher.dispatch({ method, path, headers, body, bodyTimeout: bodyTimeoutMs }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A throw here takes the request back and leaves the connection usable for the next one.
    if (this.#settled) throw new Error('abandoned while waiting for a connection');
    try {
      this.#request.beforeSend?.();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#controller = controller;
    this.#sentAtMs = this.#request.clock.monotonicMs();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const sentAtMs = this.#sentAtMs ?? 0;
    this.#start = { status, headers, elapsedMs: this.#request.clock.monotonicMs() - sentAtMs };
    this.#request.onStart?.(this.#start);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#request.onData === undefined || this.#start?.status !== 200) {
      this.#keep(chunk);
      return;
    }
    try {
      this.#request.onData(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseEnd(): void {
    if (this.#start === undefined || !this.#settle()) return;
    this.#outcome.resolve({ ...this.#start, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    const closed = error.code === 'UND_ERR_DESTROYED' || error.code === 'UND_ERR_CLOSED';
    this.#fail(this.#error(closed ? 'KUBE_ABORTED' : 'KUBE_UNAVAILABLE', error.code ?? error.name, error));
  }

  #keep(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#request.maxAnswerBytes) {
      this.#fail(this.#error('KUBE_PROTOCOL', 'AnswerTooLarge'));
    } else {
      this.#chunks.push(chunk);
    }
  }

  readonly #onAbort = (): void => this.#fail(this.#error('KUBE_ABORTED', 'Aborted'));

  #fail(error: unknown): void {
    if (!this.#settle()) return;
    this.#outcome.reject(error);
    this.#controller?.abort(error instanceof Error ? error : new Error('ended by its reader'));
  }

  #error(code: KubeErrorCode, reason: string, cause?: Error): KubeError {
    const { subject } = this.#request;
    const lost = this.#sentAtMs !== undefined && !isRead(subject);
    return new KubeError(code, `${describeSubject(subject)}: no answer (${reason})`, { reason, lost, cause });
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
