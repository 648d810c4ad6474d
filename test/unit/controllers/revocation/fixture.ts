/** Revocations of a small cluster, whose clocks may disagree. */

import { TOKEN_REVOCATION } from '../../../../src/api/group.ts';
import { type RevocationCache, revocationCache } from '../../../../src/cluster/revocation-cache.ts';
import { RevocationBook } from '../../../../src/controllers/revocation/revocation-book.ts';
import { LaptopCluster } from '../../../../src/dev/laptop-cluster.ts';
import { MemoryApi } from '../../../../src/dev/memory-api.ts';

export const NOW: number = Date.UTC(2026, 0, 1);
export const DAY = 86_400_000;

/** A cluster without an object. Has to be closed. */
export class RevocationWorld {
  readonly cache: RevocationCache;
  readonly book: RevocationBook;
  nowMs: number = NOW;
  /** Whether machine and API server agree on it. */
  isClockTrusted = true;
  readonly #api: MemoryApi;
  readonly #abort: AbortController;

  private constructor(view: LaptopCluster['view'], api: MemoryApi, abort: AbortController) {
    this.#api = api;
    this.#abort = abort;
    this.cache = revocationCache({ client: api });
    this.book = new RevocationBook({
      ...{ view, revocations: this.cache, operatorNamespace: 'agent-trust-system' },
      trustDomain: 'example.org',
      nowMs: () => this.nowMs,
      surelyPastMs: () => this.surelyPastMs(),
    });
  }

  static async start(): Promise<RevocationWorld> {
    const abort = new AbortController();
    const options = { trustDomain: 'example.org', nowMs: () => NOW };
    const { view } = await LaptopCluster.start(options, abort.signal);
    const api = new MemoryApi();
    const world = new RevocationWorld(view, api, abort);
    void world.cache.start(abort.signal);
    await api.opened(TOKEN_REVOCATION);
    return world;
  }

  surelyPastMs(): number {
    return this.isClockTrusted ? this.nowMs : Number.NEGATIVE_INFINITY;
  }

  /** Revokes all tokens of a namespace that were issued until now. */
  put(name: string, ttlAfterExpiry: string): void {
    const metadata = { name, namespace: 'ai-agents', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' };
    const object = { metadata, spec: { everything: true, ttlAfterExpiry } };
    this.#api.put(TOKEN_REVOCATION, object);
  }

  close(): void {
    this.#abort.abort();
  }
}
