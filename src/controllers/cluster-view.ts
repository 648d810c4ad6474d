/** What the controllers know of the cluster: one cache for each kind they read, shared by all of them. */

import { BUNDLE_NAME, LABEL_MANAGED } from '../api/group.ts';
import { BY_SECRET, IdentityView, type IdentityViewOptions } from '../cluster/identity-view.ts';
import { Cache } from '../kube/cache.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../kube/core-types.ts';
import type { Key } from '../kube/object.ts';
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

/** Index of the Secrets by the key of the AgentIdentity that they say they are kept for. */
export const BY_AGENT = 'agent';

/** How the view is made. */
export interface ClusterViewOptions extends IdentityViewOptions {
  readonly judge: SecretJudge;
}

/** The caches; nothing is read before `start`. */
export class ClusterView extends IdentityView {
  readonly serviceAccounts: Cache<ServiceAccountRecord>;
  readonly #governed = new Map<string, GovernedNamespace>();

  constructor({ cache, namespaces, operatorNamespace, judge }: ClusterViewOptions) {
    super({ cache, namespaces, operatorNamespace });
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
    if (this.scopeOf(namespace) !== 'governed') return undefined;
    return this.#governed.get(namespace) ?? this.#governed.get('*');
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
