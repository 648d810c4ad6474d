/** What is known of mesh and network in the cluster: the policies of governed namespaces, their pods, Istio's settings. */

import { type MeshConfig, readMeshConfig } from '../../domain/mesh/ready-mesh-config.ts';
import { Cache, type CacheOptions, type CacheState } from '../../kube/cache.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import { type Key, type KubeObject, splitKey } from '../../kube/object.ts';
import type { PolicyObject } from './digest.ts';
import { AUTHORIZATION_POLICY, NETWORK_POLICY, PEER_AUTHENTICATION, POD, SERVICE } from './kinds.ts';
import { type Pod, type PodRecord, podRecord } from './pod-record.ts';
import {
  authorizationPolicyRecord,
  type ForeignRecord,
  networkPolicyRecord,
  type PolicyRecord,
  peerAuthenticationRecord,
} from './policy-record.ts';
import { ServedCache } from './served-cache.ts';
import { ServedKind } from './served-kind.ts';

/** A Service: which waypoint its traffic goes through, if any. */
export interface ServiceRecord {
  readonly waypoint: string | undefined;
}

type PolicyCache = Cache<PolicyRecord, PolicyObject>;
type ServedPolicyCache = ServedCache<PolicyRecord, PolicyObject>;

/** The caches of one governed namespace, or of all when the whole cluster is governed. */
export interface MeshScope {
  readonly pods: Cache<PodRecord, Pod>;
  readonly services: Cache<ServiceRecord>;
  readonly networkPolicies: PolicyCache;
  readonly authorizationPolicies: ServedPolicyCache;
  readonly peerAuthentications: ServedPolicyCache;
}

type IstioCaches = Pick<MeshScope, 'authorizationPolicies' | 'peerAuthentications'>;

/** How the view is made. */
export interface MeshViewOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  readonly namespaces: readonly string[] | '*';
  /** Of the mesh. */
  readonly rootNamespace: string;
}

/** What the process starts. */
export interface StartedCache {
  readonly state: CacheState;
  start(signal: AbortSignal): Promise<void>;
  onStateChange(listener: () => void): () => void;
}

/** Index of the pods that have not ended, by `<namespace>/<ServiceAccount>`. */
const BY_ACCOUNT = 'account';
/** Index of the policies of others that count, by namespace. */
const BY_NAMESPACE = 'namespace';
/** Index of our NetworkPolicies that outlive their agents, by `<namespace>/<ServiceAccount>`; each such agent has one. */
const BY_TOMBSTONE = 'tombstone';
const ISTIO_CONFIG = 'istio';
const LABEL_WAYPOINT = 'istio.io/use-waypoint';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** The caches; nothing is read before they are started. */
export class MeshView {
  readonly rootNamespace: string;
  readonly #kinds: readonly ServedKind[];
  readonly #scopes = new Map<string, MeshScope>();
  readonly #root: IstioCaches;
  readonly #config: Cache<MeshConfig, ConfigMap>;

  constructor({ cache, namespaces, rootNamespace }: MeshViewOptions) {
    this.rootNamespace = rootNamespace;
    const kinds = {
      policies: new ServedKind(AUTHORIZATION_POLICY, cache),
      peers: new ServedKind(PEER_AUTHENTICATION, cache),
    };
    this.#kinds = [kinds.policies, kinds.peers];
    const istioCaches = (place: { readonly namespace?: string }): IstioCaches => ({
      authorizationPolicies: new ServedCache(kinds.policies, {
        ...cache,
        ...place,
        type: AUTHORIZATION_POLICY,
        project: authorizationPolicyRecord,
        indexes: { [BY_NAMESPACE]: namespaceOfForeign },
      }),
      peerAuthentications: new ServedCache(kinds.peers, {
        ...cache,
        ...place,
        type: PEER_AUTHENTICATION,
        project: peerAuthenticationRecord,
        indexes: { [BY_NAMESPACE]: namespaceOfForeign },
      }),
    });
    for (const namespace of namespaces === '*' ? ['*'] : namespaces) {
      const place = namespace === '*' ? {} : { namespace };
      this.#scopes.set(namespace, {
        pods: new Cache<PodRecord, Pod>({
          ...cache,
          ...place,
          type: POD,
          project: podRecord,
          indexes: { [BY_ACCOUNT]: (pod) => (pod.hasEnded ? [] : [`${pod.namespace}/${pod.account}`]) },
        }),
        services: new Cache<ServiceRecord>({
          ...cache,
          ...place,
          type: SERVICE,
          metadataOnly: true,
          project: ({ metadata }) => ({ waypoint: metadata.labels?.[LABEL_WAYPOINT] }),
        }),
        networkPolicies: new Cache<PolicyRecord, PolicyObject>({
          ...cache,
          ...place,
          type: NETWORK_POLICY,
          project: networkPolicyRecord,
          indexes: { [BY_NAMESPACE]: namespaceOfForeign, [BY_TOMBSTONE]: accountOfTombstone },
        }),
        ...istioCaches(place),
      });
    }
    this.#root = istioCaches({ namespace: rootNamespace });
    this.#config = new Cache<MeshConfig, ConfigMap>({
      ...cache,
      type: CONFIG_MAP,
      namespace: rootNamespace,
      fieldSelector: `metadata.name=${ISTIO_CONFIG}`,
      project: ({ data = {} }) => readMeshConfig(data['mesh'] ?? ''),
    });
  }

  /** Whether Istio's kinds are served; `in-part`: only one of the two is; undefined: not known yet. */
  get servesIstio(): boolean | 'in-part' | undefined {
    const [policies, peers] = this.#kinds.map(({ isServed }) => isServed);
    if (policies === undefined || peers === undefined) return undefined;
    return policies === peers ? policies : 'in-part';
  }

  /** The caches of a namespace, if it is governed; the caller knows of namespaces that never are. */
  scope(namespace: string): MeshScope | undefined {
    return this.#scopes.get(namespace) ?? this.#scopes.get('*');
  }

  /** Every scope, with its namespace or `*`. */
  scopes(): Iterable<readonly [string, MeshScope]> {
    return this.#scopes;
  }

  /** Istio's own settings, if they can be read. */
  get meshConfig(): MeshConfig | undefined {
    return this.#config.get(`${this.rootNamespace}/${ISTIO_CONFIG}`);
  }

  /** AuthorizationPolicies of others that allow something in a namespace, those for the whole mesh included. */
  foreignAllows(namespace: string): readonly ForeignRecord[] {
    return this.#foreign(namespace, (scope) => scope?.authorizationPolicies.current, [
      this.#root.authorizationPolicies.current,
    ]);
  }

  /** PeerAuthentications of others in a namespace, those for the whole mesh included. */
  foreignPeers(namespace: string): readonly ForeignRecord[] {
    return this.#foreign(namespace, (scope) => scope?.peerAuthentications.current, [
      this.#root.peerAuthentications.current,
    ]);
  }

  /** NetworkPolicies of others that let something in. */
  foreignNetworkPolicies(namespace: string): readonly ForeignRecord[] {
    return this.#foreign(namespace, (scope) => scope?.networkPolicies, []);
  }

  /** Pods that run as a ServiceAccount and have not ended. */
  podsOf(namespace: string, account: string): readonly PodRecord[] {
    const pods = this.scope(namespace)?.pods;
    if (pods === undefined) return [];
    return pods
      .byIndex(BY_ACCOUNT, `${namespace}/${account}`)
      .map((key) => pods.get(key))
      .filter((pod) => pod !== undefined);
  }

  /** Agents that are gone, and whose objects wait for the last pod that runs as `<namespace>/<ServiceAccount>`. */
  tombstonesOf({ networkPolicies }: MeshScope, account: string): readonly Key[] {
    return networkPolicies
      .byIndex(BY_TOMBSTONE, account)
      .map((key) => networkPolicies.get(key))
      .flatMap((record) => (record?.kind === 'own' ? [record.agent] : []));
  }

  /** The waypoint of the Service of an agent, by its label. */
  waypointOf(agent: Key, namespace: string): string | undefined {
    return this.scope(namespace)?.services.get(agent)?.waypoint;
  }

  /** Caches of what holds for the whole mesh. */
  rootCaches(): readonly [ServedPolicyCache, ServedPolicyCache, Cache<MeshConfig, ConfigMap>] {
    return [this.#root.authorizationPolicies, this.#root.peerAuthentications, this.#config];
  }

  /** What says whether Istio's kinds are served. */
  kinds(): readonly ServedKind[] {
    return this.#kinds;
  }

  /** All that is to be started. */
  caches(): readonly StartedCache[] {
    return [
      ...this.#kinds,
      ...[...this.#scopes.values()].flatMap((scope): StartedCache[] => Object.values(scope)),
      ...this.rootCaches(),
    ];
  }

  #foreign(
    namespace: string,
    cacheOf: (scope: MeshScope | undefined) => PolicyCache | undefined,
    others: readonly (PolicyCache | undefined)[],
  ): readonly ForeignRecord[] {
    const places: readonly (readonly [string, PolicyCache | undefined])[] = [
      [namespace, cacheOf(this.scope(namespace))],
      ...(namespace === this.rootNamespace
        ? []
        : others.map((cache) => [this.rootNamespace, cache] as const)),
    ];
    return places.flatMap(([place, cache]) =>
      (cache?.byIndex(BY_NAMESPACE, place) ?? [])
        .map((key) => cache?.get(key))
        .filter((record) => record?.kind === 'foreign'),
    );
  }
}

function namespaceOfForeign(record: PolicyRecord): readonly string[] {
  return record.kind === 'foreign' ? [record.namespace] : [];
}

function accountOfTombstone(record: PolicyRecord): readonly string[] {
  if (record.kind !== 'own' || !record.isTombstone || record.account === undefined) return [];
  return [`${splitKey(record.agent).namespace}/${record.account}`];
}
