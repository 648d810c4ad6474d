/** What the controllers know of the cluster: one cache for each kind they read, shared by all of them. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { AGENT_IDENTITY, BUNDLE_NAME, LABEL_MANAGED, OWN_PREFIX } from '../api/group.ts';
import { resolveAgentIdentity } from '../domain/identity/resolve.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../kube/core-types.ts';
import type { Key, KubeObject } from '../kube/object.ts';
import { type BundleRecord, bundleRecord, type ConfigMap } from './bundle/bundle-record.ts';
import type { Secret } from './identity/secret.ts';
import { agentsOf, type SecretJudge, type SecretRecord, secretRecord } from './identity/secret-record.ts';

/** A ServiceAccount: that it is there is all that matters. */
export interface ServiceAccountRecord {
  readonly uid: string;
}

/** What is read in one governed namespace, or in all of them when the whole cluster is governed. */
export interface GovernedNamespace {
  readonly secrets: Cache<SecretRecord, Secret>;
  readonly bundles: Cache<BundleRecord, ConfigMap>;
}

/** Index of the identities by `<namespace>/<ServiceAccount>`. */
export const BY_SERVICE_ACCOUNT = 'serviceAccount';
/** Index of the identities by `<namespace>/<Secret>`: who wants to write it. */
const BY_SECRET = 'secret';
/** Index of the identities by `<namespace>/<ServiceAccount>` of each caller that they let in beside agents. */
export const BY_CALLER = 'caller';
/** Index of the identities by namespace. */
export const BY_NAMESPACE = 'namespace';
/** Index of the identities by UID. */
export const BY_UID = 'uid';
/** Index of the Secrets by the key of the AgentIdentity that they say they are kept for. */
export const BY_AGENT = 'agent';

/** How the view is made. */
export interface ClusterViewOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  readonly namespaces: readonly string[] | '*';
  readonly operatorNamespace: string;
  readonly judge: SecretJudge;
}

/** The caches; nothing is read before `start`. */
export class ClusterView {
  readonly identities: Cache<AgentIdentity, AgentIdentity>;
  readonly serviceAccounts: Cache<ServiceAccountRecord>;
  readonly #governed = new Map<string, GovernedNamespace>();
  readonly #operatorNamespace: string;

  constructor({ cache, namespaces, operatorNamespace, judge }: ClusterViewOptions) {
    this.#operatorNamespace = operatorNamespace;
    this.identities = new Cache<AgentIdentity, AgentIdentity>({
      ...cache,
      type: AGENT_IDENTITY,
      project: agentIdentityRecord,
      indexes: {
        [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace],
        [BY_UID]: ({ metadata }) => [metadata.uid],
        [BY_SERVICE_ACCOUNT]: (identity) => [
          `${identity.metadata.namespace}/${resolved(identity).serviceAccountName}`,
        ],
        [BY_CALLER]: ({ spec }) => [
          ...new Set((spec.callers ?? []).flatMap(({ serviceAccounts }) => serviceAccounts)),
        ],
        [BY_SECRET]: (identity) => [`${identity.metadata.namespace}/${resolved(identity).secretName}`],
      },
    });
    this.serviceAccounts = new Cache<ServiceAccountRecord>({
      ...cache,
      type: SERVICE_ACCOUNT,
      metadataOnly: true,
      project: ({ metadata }) => ({ uid: metadata.uid ?? '' }),
    });
    for (const namespace of namespaces === '*' ? ['*'] : namespaces) {
      const scope = {
        ...cache,
        ...(namespace === '*' ? {} : { namespace }),
        labelSelector: `${LABEL_MANAGED}=true`,
      };
      this.#governed.set(namespace, {
        secrets: new Cache<SecretRecord, Secret>({
          ...scope,
          type: SECRET,
          project: (secret) => secretRecord(secret, judge),
          indexes: { [BY_AGENT]: agentsOf },
        }),
        bundles: new Cache<BundleRecord, ConfigMap>({
          ...scope,
          type: CONFIG_MAP,
          fieldSelector: `metadata.name=${BUNDLE_NAME}`,
          project: bundleRecord,
        }),
      });
    }
  }

  /** The caches of a namespace, or undefined when the operator was not told to serve it. */
  governed(namespace: string): GovernedNamespace | undefined {
    if (this.isExcluded(namespace)) return undefined;
    return this.#governed.get(namespace) ?? this.#governed.get('*');
  }

  /** Whether a namespace holds no agents, whatever anybody says. */
  isExcluded(namespace: string): boolean {
    return namespace === this.#operatorNamespace || namespace.startsWith('kube-');
  }

  /** The caches of all governed namespaces. */
  caches(): readonly (GovernedNamespace['secrets'] | GovernedNamespace['bundles'])[] {
    return [...this.#governed.values()].flatMap(({ secrets, bundles }) => [secrets, bundles]);
  }

  /** Every cache of a governed namespace, with the namespace or `*`. */
  entries(): Iterable<readonly [string, GovernedNamespace]> {
    return this.#governed;
  }
}

function resolved(identity: Pick<AgentIdentity, 'metadata' | 'spec'>): {
  readonly serviceAccountName: string;
  readonly secretName: string;
} {
  return resolveAgentIdentity(identity.metadata.name, identity.spec);
}

/** Keeps of the metadata what is used; managedFields alone are a quarter of an object. */
function agentIdentityRecord({ metadata, spec, status }: AgentIdentity): AgentIdentity {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = metadata;
  const { deletionTimestamp, annotations = {} } = metadata;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      // Others may be large: kubectl keeps the whole manifest in one.
      annotations: Object.fromEntries(
        Object.entries(annotations).filter(([key]) => key.startsWith(OWN_PREFIX)),
      ),
    },
    spec: spec ?? {},
    ...(status === undefined ? {} : { status }),
  };
}

/** Whether a namespace is served, and if not, whether it ever could be. */
export function namespaceScopeOf(view: ClusterView, namespace: string): 'governed' | 'outside' | 'never' {
  if (view.governed(namespace) !== undefined) return 'governed';
  return view.isExcluded(namespace) ? 'never' : 'outside';
}

/** Keys of the identities with the ServiceAccount of `identity`, itself among them if it is still there. */
export function identitiesOnAccountOf(
  view: ClusterView,
  identity: Pick<AgentIdentity, 'metadata' | 'spec'>,
): readonly Key[] {
  const account = `${identity.metadata.namespace}/${resolved(identity).serviceAccountName}`;
  return view.identities.byIndex(BY_SERVICE_ACCOUNT, account);
}

/** Whether a ServiceAccount is the identity of an agent that is served. */
export function isAgentAccount(
  view: ClusterView,
  { namespace, serviceAccountName }: { readonly namespace: string; readonly serviceAccountName: string },
): boolean {
  const agents = view.identities.byIndex(BY_SERVICE_ACCOUNT, `${namespace}/${serviceAccountName}`);
  return agents.length > 0 && view.governed(namespace) !== undefined;
}

/** Name of the identity that has the same ServiceAccount and came first: it keeps it. */
export function olderClaimant(
  view: ClusterView,
  identity: Pick<AgentIdentity['metadata'], 'namespace' | 'uid' | 'creationTimestamp'> & {
    readonly serviceAccountName: string;
  },
): string | undefined {
  const age = ({ creationTimestamp, uid }: Pick<AgentIdentity['metadata'], 'creationTimestamp' | 'uid'>) =>
    `${creationTimestamp} ${uid}`;
  return view.identities
    .byIndex(BY_SERVICE_ACCOUNT, `${identity.namespace}/${identity.serviceAccountName}`)
    .map((key) => view.identities.get(key)?.metadata)
    .filter((other) => other !== undefined)
    .find((other) => other.uid !== identity.uid && age(other) < age(identity))?.name;
}

/** Keys of the identities that may care about a Secret: those it names, and those that want to write it. */
export function identitiesOfSecret(
  view: ClusterView,
  key: Key,
  record: SecretRecord | undefined,
): readonly Key[] {
  const claimants = view.identities.byIndex(BY_SECRET, key);
  return record === undefined ? claimants : [...new Set([...agentsOf(record), ...claimants])];
}

/** Keys of every identity, and of those that are gone and have left a Secret behind. */
export function identityKeys(view: ClusterView): ReadonlySet<Key> {
  const keys = new Set(view.identities.keys());
  for (const [, { secrets }] of view.entries()) {
    for (const record of secrets.values()) for (const key of agentsOf(record)) keys.add(key);
  }
  return keys;
}

/** Number of objects by reason of Ready. */
export function reasonsOfReady(objects: Iterable<WithConditions>): ReadonlyMap<string, number> {
  return reasonsOf('Ready', objects);
}

/** Number of objects by reason of a condition; those without it count as `Pending`. */
export function reasonsOf(condition: string, objects: Iterable<WithConditions>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { status } of objects) {
    const reason = status?.conditions?.find(({ type }) => type === condition)?.reason ?? 'Pending';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

interface WithConditions {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[];
  };
}
