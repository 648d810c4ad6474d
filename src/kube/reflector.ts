/** Follows one collection for ever: list page by page, then watch from there, and go on after every fault. */

import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { KubeErrorCode, RequestSubject } from './errors.ts';
import { describeSubject, isKubeError, KubeError } from './errors.ts';
import type { KubeObject, ResourceType } from './object.ts';
import type { ReflectorTiming } from './reflector-timing.ts';
import { Backoff, between } from './reflector-timing.ts';
import type { Selection } from './resource-calls.ts';
import { isOlder } from './resource-version.ts';
import { statusError } from './status-error.ts';
import type { Wait } from './wait.ts';

/** What a reflector tells. Nothing here may throw. */
export interface ReflectorSink {
  /** A list as of `resourceVersion` begins; one that was under way is void. */
  listing(resourceVersion: string): void;
  page(items: readonly KubeObject[], signal: AbortSignal): Promise<void>;
  /** The list is complete. */
  listed(): void;
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  /** Everything up to `resourceVersion` has been told. */
  bookmark(resourceVersion: string): void;
  /** `refused`: the server does not let us list, or does not know the type. */
  failed(error: KubeError, outcome: { readonly refused: boolean; readonly delayMs: number }): void;
}

/** What a reflector is made of. */
export interface ReflectorOptions {
  readonly client: Pick<KubeClient, 'pages' | 'watch'>;
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly sink: ReflectorSink;
  readonly timing: ReflectorTiming;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly random: () => number;
}

interface WatchEvent {
  readonly type?: string;
  readonly object?: KubeObject & { readonly code?: number };
}

/** Failures of a watch after which its resource version is of no more use. */
const RELIST_AFTER: ReadonlySet<KubeErrorCode> = new Set<KubeErrorCode>([
  'KUBE_GONE',
  'KUBE_FORBIDDEN',
  'KUBE_NOT_FOUND',
  'KUBE_BAD_REQUEST',
  'KUBE_INVALID',
]);

/** Lists and watches; holds nothing but the resource version to go on from. */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #backoff: Backoff;
  #resourceVersion: string | undefined;
  /** The server did not know our resource version yet, the last time it was asked. */
  #ahead = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.timing, options.clock, options.random);
  }

  /** Resolves once `signal` is aborted and nothing is open any more; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delayMs = await this.#step(signal);
      if (delayMs > 0 && !signal.aborted) await this.#options.wait(delayMs, signal);
    }
  }

  /** One list or one watch; gives the delay before the next, milliseconds. */
  async #step(signal: AbortSignal): Promise<number> {
    const resourceVersion = this.#resourceVersion;
    try {
      if (resourceVersion === undefined) await this.#list(signal);
      else await this.#watch(resourceVersion, signal);
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#judge(this.#asKubeError(error), resourceVersion === undefined);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, type, selection, sink } = this.#options;
    let resourceVersion: string | undefined;
    for await (const page of client.pages(type, selection, { signal })) {
      if (resourceVersion === undefined) sink.listing(page.resourceVersion);
      resourceVersion ??= page.resourceVersion;
      await sink.page(page.items, signal);
      if (signal.aborted) return;
    }
    sink.listed();
    this.#resourceVersion = resourceVersion;
  }

  /** @throws KubeError for every end but an orderly one of a watch that lasted. */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, type, selection, timing, clock, random } = this.#options;
    const startMs = clock.monotonicMs();
    await client.watch(type, {
      ...selection,
      resourceVersion,
      timeoutSeconds: Math.round(between(timing.watchSeconds, random())),
      idleTimeoutMs: timing.idleTimeoutMs,
      signal,
      onLine: (line) => {
        if (!signal.aborted) this.#take(line);
      },
    });
    this.#ahead = false;
    // One that brought something is no fault: the server ends the watch of a reader that falls behind.
    const isShort = clock.monotonicMs() - startMs < timing.shortWatchMs;
    if (isShort && this.#resourceVersion === resourceVersion) {
      throw this.#error('KUBE_UNAVAILABLE', 'VeryShortWatch');
    }
  }

  #take(line: Buffer): void {
    const event = this.#parse(line);
    const resourceVersion = event.object?.metadata?.resourceVersion;
    if (event.type === 'ERROR') throw this.#eventError(event);
    if (event.object === undefined || resourceVersion === undefined)
      throw this.#error('KUBE_PROTOCOL', 'NoObject');
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        this.#options.sink.event(event.type, event.object);
        break;
      case 'BOOKMARK':
        if (isOlder(resourceVersion, this.#resourceVersion))
          throw this.#error('KUBE_GONE', 'HistoryWentBack');
        this.#options.sink.bookmark(resourceVersion);
        break;
      default:
        throw this.#error('KUBE_PROTOCOL', 'UnknownEvent');
    }
    this.#resourceVersion = resourceVersion;
    this.#ahead = false;
  }

  #parse(line: Buffer): WatchEvent {
    try {
      return JSON.parse(line.toString('utf8')) as WatchEvent;
    } catch {
      // The cause is not kept: it quotes the object.
      throw this.#error('KUBE_PROTOCOL', 'NotJson');
    }
  }

  #eventError(event: WatchEvent): KubeError {
    return statusError(this.#subject('watch'), {
      httpStatus: event.object?.code ?? 500,
      status: event.object,
      nowMs: this.#options.clock.nowMs(),
    });
  }

  #judge(error: KubeError, listing: boolean): number {
    const { sink, timing, random } = this.#options;
    if (!listing && this.#isSpent(error)) this.#resourceVersion = undefined;
    const refused = listing && isKubeError(error, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND');
    const delayMs = refused
      ? between(timing.refusedMs, random())
      : Math.max(this.#backoff.next(), error.retryAfterMs ?? 0);
    sink.failed(error, { refused, delayMs });
    return delayMs;
  }

  /** Whether a new list is needed. An API server that is behind our version gets one chance to catch up. */
  #isSpent(error: KubeError): boolean {
    const wasAhead = this.#ahead;
    this.#ahead = error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge');
    return RELIST_AFTER.has(error.code) || (wasAhead && this.#ahead);
  }

  #asKubeError(error: unknown): KubeError {
    return isKubeError(error) ? error : this.#error('KUBE_PROTOCOL', 'Unexpected', error);
  }

  #error(code: KubeErrorCode, reason: string, cause?: unknown): KubeError {
    const verb = this.#resourceVersion === undefined ? 'list' : 'watch';
    return new KubeError(code, `${describeSubject(this.#subject(verb))}: ${reason}`, { reason, cause });
  }

  #subject(verb: 'list' | 'watch'): RequestSubject {
    return { verb, type: this.#options.type, namespace: this.#options.selection.namespace };
  }
}
