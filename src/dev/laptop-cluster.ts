/** What the operator would know of a cluster with the objects of an author: the same caches and books, fed from memory. */

import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY, TOKEN_REVOCATION } from '../api/group.ts';
import { DelegationView } from '../cluster/delegation-view.ts';
import { GraphBook } from '../cluster/graph-book.ts';
import { IdentityView } from '../cluster/identity-view.ts';
import { type RevocationCache, revocationCache } from '../cluster/revocation-cache.ts';
import { RevocationBook } from '../controllers/revocation/revocation-book.ts';
import { NAMESPACE } from '../kube/core-types.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { MemoryApi } from './memory-api.ts';

/** TokenRevocations of this namespace concern all others, as in the chart's default. */
const OPERATOR_NAMESPACE = 'agent-trust-system';

/** What it is made of. */
export interface LaptopClusterOptions {
  readonly trustDomain: string;
  readonly nowMs: () => number;
}

/** Every namespace is served; none has a mesh. */
export class LaptopCluster {
  readonly view: IdentityView;
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  readonly revocations: RevocationBook;
  readonly #api = new MemoryApi();
  readonly #revocationCache: RevocationCache;

  private constructor({ trustDomain, nowMs }: LaptopClusterOptions) {
    const cache = { client: this.#api };
    const operatorNamespace = OPERATOR_NAMESPACE;
    this.view = new IdentityView({ cache, namespaces: '*', operatorNamespace, keepsStatus: false });
    this.delegation = new DelegationView({ cache, keepsStatus: false });
    this.book = new GraphBook({ view: this.view, delegation: this.delegation });
    this.#revocationCache = revocationCache(cache);
    this.revocations = new RevocationBook({
      view: this.view,
      revocations: this.#revocationCache,
      operatorNamespace,
      trustDomain,
      nowMs,
      surelyPastMs: nowMs,
    });
  }

  /** Makes one without any object. It has to be closed, by aborting `signal`; what it knows can be read after that. */
  static async start(options: LaptopClusterOptions, signal: AbortSignal): Promise<LaptopCluster> {
    const cluster = new LaptopCluster(options);
    const caches = [cluster.view.identities, ...cluster.delegation.caches(), cluster.#revocationCache];
    for (const cache of caches) void cache.start(signal);
    const types = [NAMESPACE, CAPABILITY_BOUNDARY, AGENT_IDENTITY, DELEGATION_POLICY, TOKEN_REVOCATION];
    await Promise.all(types.map((type) => cluster.#api.opened(type)));
    return cluster;
  }

  /** Adds an object; everything knows of it when this returns. */
  put(type: ResourceType, object: KubeObject): void {
    this.#api.put(type, object);
  }
}
