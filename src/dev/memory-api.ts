/** What caches need of an API server, from memory: lists that are empty at first, and watches that tell what is put. */

import type { KubeClient, Page, WatchOptions } from '../kube/client.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';

/** See the file. Objects are told in the order in which they are put. */
export class MemoryApi implements Pick<KubeClient, 'pages' | 'watch'> {
  readonly #watches = new Map<string, WatchOptions['onLine']>();
  readonly #opened = new Map<string, PromiseWithResolvers<void>>();
  #version = 1;

  async *pages<T extends KubeObject>(): AsyncGenerator<Page<T>> {
    yield { items: [], resourceVersion: String(this.#version), continue: undefined };
  }

  /** Lasts until its signal is aborted. */
  watch({ plural }: ResourceType, { onLine, signal }: WatchOptions): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#watches.set(plural, onLine);
    this.#openedOf(plural).resolve();
    return promise;
  }

  /** Resolves once the type is watched. */
  opened({ plural }: ResourceType): Promise<void> {
    return this.#openedOf(plural).promise;
  }

  /** Adds an object of a type that is watched; its cache has it when this returns. */
  put({ plural }: ResourceType, object: KubeObject): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version), generation: 1 };
    const event = { type: 'ADDED', object: { ...object, metadata } };
    this.#watches.get(plural)?.(Buffer.from(JSON.stringify(event)));
  }

  #openedOf(plural: string): PromiseWithResolvers<void> {
    const known = this.#opened.get(plural) ?? Promise.withResolvers<void>();
    this.#opened.set(plural, known);
    return known;
  }
}
