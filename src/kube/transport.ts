/** Calls and watches of one API server: authentication, retries, limits, metrics. */

import type { Dispatcher } from 'undici';
import { assertSuccess, headerOf, parseAnswer, protocolError } from './answer.ts';
import type { Call, WatchCall } from './call.ts';
import { targetOf } from './call.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import type { KubeError } from './errors.ts';
import { asLost, isKubeError } from './errors.ts';
import type { Answer, AnswerStart } from './exchange.ts';
import { exchange } from './exchange.ts';
import { LineSplitter } from './line-splitter.ts';
import type { RequestObserver } from './request-observer.ts';
import { silentObserver } from './request-observer.ts';
import { RetryPolicy } from './retry-policy.ts';
import { isRead } from './status-error.ts';
import type { Wait } from './wait.ts';
import { systemWait } from './wait.ts';

/** Longest silence of a server that answers a call. Milliseconds. */
const CALL_IDLE_TIMEOUT_MS = 30_000;

/** Bookmarks come about once a minute. Milliseconds. */
const WATCH_IDLE_TIMEOUT_MS = 150_000;

/**
 * Bound of an answer. A list page of 500 ordinary objects has 2 MiB, a single object at most 2 MiB; whoever meets the
 * bound asks for smaller pages, so that nobody who may create large objects can exhaust this process's memory.
 */
const MAX_ANSWER_BYTES: number = 32 * 1024 * 1024;

/** Bound of an event, which carries one object. */
const MAX_LINE_BYTES: number = 8 * 1024 * 1024;

/** A Date header that took longer to arrive says little about the server's clock. Milliseconds. */
const FRESH_DATE_WITHIN_MS = 1_000;

/** What a transport is made of. */
export interface TransportOptions {
  readonly credentials: Credentials;
  /** Named in the User-Agent. */
  readonly product: { readonly name: string; readonly version: string };
  /** Calls in flight at the same time, 1 to 64; usually the number of concurrent reconciles. */
  readonly connections: number;
  readonly observer?: RequestObserver;
  /** Receives fresh Date headers, milliseconds since the Unix epoch; at most one per second of the server. */
  readonly onServerDate?: (dateMs: number) => void;
  readonly clock?: Clock;
  readonly wait?: Wait;
  /** A number in [0, 1), for jitter. */
  readonly random?: () => number;
  /** Largest answer that is read, bytes; 32 MiB by default. */
  readonly maxAnswerBytes?: number;
  /** Longest silence before the head of an answer and within its body; 30,000 by default. */
  readonly callIdleTimeoutMs?: number;
}

/** How the body of an answer is read; absent when it is kept as a whole. */
interface Stream {
  readonly idleTimeoutMs: number;
  readonly onData: (chunk: Buffer) => void;
}

/** Talks to one API server. Has to be closed. */
export class Transport {
  readonly #connections: Connections;
  readonly #options: Required<Omit<TransportOptions, 'product' | 'connections'>>;
  readonly #basePath: string;
  readonly #userAgent: string;
  #lastDate: unknown;

  /** @throws RangeError when `connections` is not a whole number from 1 to 64. */
  constructor(options: TransportOptions) {
    const { credentials, connections, product, callIdleTimeoutMs = CALL_IDLE_TIMEOUT_MS } = options;
    this.#connections = new Connections(credentials, { connections, idleTimeoutMs: callIdleTimeoutMs });
    this.#options = {
      observer: silentObserver,
      onServerDate: () => {},
      clock: systemClock,
      wait: systemWait,
      random: Math.random,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      callIdleTimeoutMs,
      ...options,
    };
    this.#basePath = credentials.server.pathname.replace(/\/$/, '');
    this.#userAgent = `${product.name}/${product.version} (${process.platform}/${process.arch})`;
  }

  /**
   * Sends a call and gives the parsed answer. Tries again after a 401 with new credentials, once after a reset of a
   * GET, and as long as the server asks by Retry-After, up to ten attempts.
   *
   * @returns the parsed JSON; undefined for an empty answer.
   * @throws KubeError; what `beforeSend` throws.
   */
  async request<T>(call: Call): Promise<T> {
    const dispatcher = call.channel === 'lease' ? this.#connections.lease : this.#connections.calls;
    const answer = await this.#retrying(call, (timeoutMs) =>
      this.#attempt(dispatcher, { ...call, timeoutMs }),
    );
    return parseAnswer<T>(call.subject, answer);
  }

  /**
   * Opens a watch on a connection of its own and reads it until the server ends it; resolves then.
   *
   * @throws KubeError: KUBE_ABORTED when `signal` is aborted, KUBE_UNAVAILABLE when the stream breaks or is silent for
   * too long, KUBE_PROTOCOL for a line above 8 MiB; what `onLine` throws.
   */
  openWatch(watch: WatchCall): Promise<void> {
    const { subject } = watch;
    const lines = new LineSplitter(MAX_LINE_BYTES, watch.onLine, () => protocolError(subject, 'LineTooLong'));
    const stream = {
      idleTimeoutMs: watch.idleTimeoutMs ?? WATCH_IDLE_TIMEOUT_MS,
      onData: (chunk: Buffer) => lines.push(chunk),
    };
    const call: Call = { ...watch, method: 'GET' };
    return this.#connections.withOwn(async (dispatcher) => {
      await this.#retrying(call, () => this.#attempt(dispatcher, call, stream));
    });
  }

  /** Breaks off whatever is under way (KUBE_ABORTED) and closes all connections. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  async #retrying(call: Call, attempt: (timeoutMs: number | undefined) => Promise<Answer>): Promise<Answer> {
    const startMs = this.#options.clock.monotonicMs();
    const retries = new RetryPolicy(
      call.subject.verb !== 'watch' && isRead(call.subject),
      this.#options.random,
    );
    let lost = false;
    for (;;) {
      const remainingMs = this.#remainingMs(call, startMs);
      try {
        return await attempt(remainingMs);
      } catch (error) {
        if (!isKubeError(error)) throw error;
        lost ||= error.lost;
        const delayMs = retries.delayMs(error);
        if (delayMs === undefined || delayMs >= (remainingMs ?? Number.POSITIVE_INFINITY)) {
          throw lost ? asLost(error) : error;
        }
        await this.#beforeRetry(call, error, delayMs);
      }
    }
  }

  #remainingMs(call: Call, startMs: number): number | undefined {
    if (call.timeoutMs === undefined) return undefined;
    return Math.max(call.timeoutMs - (this.#options.clock.monotonicMs() - startMs), 1);
  }

  async #beforeRetry(call: Call, error: KubeError, delayMs: number): Promise<void> {
    const { observer, credentials, wait } = this.#options;
    const code = error.httpStatus === undefined ? '<error>' : String(error.httpStatus);
    observer.requestRetried({ code, method: call.method, host: credentials.server.host });
    if (error.code === 'KUBE_UNAUTHORIZED') credentials.invalidate();
    if (delayMs > 0) await wait(delayMs, call.signal);
  }

  async #attempt(dispatcher: Dispatcher, call: Call, stream?: Stream): Promise<Answer> {
    const { clock, credentials, maxAnswerBytes, callIdleTimeoutMs } = this.#options;
    const report = this.#reporter(call);
    try {
      const answer = await exchange(dispatcher, {
        subject: call.subject,
        method: call.method,
        path: this.#basePath + targetOf(call.path, call.query),
        headers: this.#headers(call, await credentials.bearerToken()),
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal: call.signal,
        timeoutMs: call.timeoutMs,
        bodyTimeoutMs: stream?.idleTimeoutMs ?? callIdleTimeoutMs,
        maxAnswerBytes,
        clock,
        beforeSend: call.beforeSend,
        onStart: (start) => {
          this.#observeDate(start);
          if (stream !== undefined && start.status === 200) report('200');
        },
        onData: stream?.onData,
      });
      report(String(answer.status));
      return assertSuccess(call.subject, answer, clock.nowMs());
    } catch (error) {
      report('<error>');
      throw error;
    }
  }

  /** Reports an attempt once, whoever is first. */
  #reporter(call: Call): (code: string) => void {
    const { observer, clock, credentials } = this.#options;
    const startMs = clock.monotonicMs();
    let reported = false;
    return (code) => {
      if (reported) return;
      reported = true;
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      const { host } = credentials.server;
      observer.requestFinished({ verb: call.subject.verb, method: call.method, code, host, seconds });
    };
  }

  #headers(call: Call, token: string | undefined): string[] {
    const headers = ['accept', call.accept ?? 'application/json', 'user-agent', this.#userAgent];
    if (token !== undefined) headers.push('authorization', `Bearer ${token}`);
    if (call.body !== undefined) headers.push('content-type', call.contentType ?? 'application/json');
    return headers;
  }

  /** The header has a resolution of a second: the same one again says nothing new. */
  #observeDate(start: AnswerStart): void {
    const date = headerOf(start, 'date');
    if (date === undefined || date === this.#lastDate || start.elapsedMs > FRESH_DATE_WITHIN_MS) return;
    this.#lastDate = date;
    const dateMs = Date.parse(date);
    if (!Number.isNaN(dateMs)) this.#options.onServerDate(dateMs);
  }
}
