/** What is known of delegation in the cluster beside the identities: a cache for each kind that limits or grants it. */

import type { CapabilityBoundary } from '../api/capability-boundary.ts';
import type { DelegationPolicy } from '../api/delegation-policy.ts';
import { CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../api/group.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import { NAMESPACE } from '../kube/core-types.ts';
import type { KubeObject } from '../kube/object.ts';

/** A namespace: boundaries select by its labels. */
export interface NamespaceRecord {
  readonly labels: Readonly<Record<string, string>>;
}

/** How the view is made. */
export interface DelegationViewOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  /** Whether statuses are kept. Default true. */
  readonly keepsStatus?: boolean;
}

/** The caches, of the whole cluster; nothing is read before they are started. */
export class DelegationView {
  readonly policies: Cache<DelegationPolicy, DelegationPolicy>;
  readonly boundaries: Cache<CapabilityBoundary, CapabilityBoundary>;
  /** By name. */
  readonly namespaces: Cache<NamespaceRecord>;

  constructor({ cache, keepsStatus = true }: DelegationViewOptions) {
    this.policies = new Cache<DelegationPolicy, DelegationPolicy>({
      ...cache,
      type: DELEGATION_POLICY,
      project: (policy) => policyRecord(policy, keepsStatus),
    });
    this.boundaries = new Cache<CapabilityBoundary, CapabilityBoundary>({
      ...cache,
      type: CAPABILITY_BOUNDARY,
      project: (boundary) => boundaryRecord(boundary, keepsStatus),
    });
    this.namespaces = new Cache<NamespaceRecord>({
      ...cache,
      type: NAMESPACE,
      metadataOnly: true,
      project: ({ metadata }) => ({ labels: metadata.labels ?? {} }),
    });
  }

  /** All of them. */
  caches(): readonly [
    DelegationView['policies'],
    DelegationView['boundaries'],
    DelegationView['namespaces'],
  ] {
    return [this.policies, this.boundaries, this.namespaces];
  }
}

/** Keeps of the metadata what is used. */
function policyRecord({ metadata, spec, status }: DelegationPolicy, keepsStatus: boolean): DelegationPolicy {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    metadata;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: spec ?? {},
    ...(status === undefined || !keepsStatus ? {} : { status }),
  };
}

function boundaryRecord(
  { metadata, spec, status }: CapabilityBoundary,
  keepsStatus: boolean,
): CapabilityBoundary {
  const { name, uid, resourceVersion, generation, creationTimestamp } = metadata;
  return {
    metadata: { name, uid, resourceVersion, generation, creationTimestamp },
    spec,
    ...(status === undefined || !keepsStatus ? {} : { status }),
  };
}
