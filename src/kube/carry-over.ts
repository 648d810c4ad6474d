/** What a replacement of a whole object keeps of what others wrote into its metadata. */

import type { ObjectMeta, OwnerReference } from './object.ts';

const KUBECTL_COPY = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The desired metadata with the observed object's identity, and with everything in it that is not ours.
 *
 * Labels and annotations below `ownPrefix` are ours: those that are not desired are dropped. All other labels,
 * annotations, owner references and finalizers are carried over as read, except that kubectl's copy of the object is dropped, and that an object has one controller at
 * most: a desired one makes the others plain owners.
 */
export function carryOver(desired: ObjectMeta, observed: ObjectMeta, ownPrefix: string): ObjectMeta {
  const { uid, resourceVersion } = observed;
  return {
    ...desired,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    labels: { ...foreign(observed.labels, ownPrefix), ...desired.labels },
    annotations: { ...foreign(withoutCopy(observed).annotations, ownPrefix), ...desired.annotations },
    ownerReferences: mergeOwners(desired.ownerReferences ?? [], observed.ownerReferences ?? []),
    finalizers: [...new Set([...(observed.finalizers ?? []), ...(desired.finalizers ?? [])])],
  };
}

/**
 * Metadata without the copy of the whole object that `kubectl apply` keeps in an annotation: data included, so for key
 * material it is the key in plain metadata, and after a write of ours it is stale besides.
 */
export function withoutCopy(metadata: ObjectMeta): ObjectMeta {
  const { [KUBECTL_COPY]: copy, ...annotations } = metadata.annotations ?? {};
  return copy === undefined ? metadata : { ...metadata, annotations };
}

function foreign(
  entries: Readonly<Record<string, string>> = {},
  ownPrefix: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !key.startsWith(ownPrefix)));
}

function mergeOwners(
  desired: readonly OwnerReference[],
  observed: readonly OwnerReference[],
): readonly OwnerReference[] {
  const others = observed.filter((owner) => !desired.some((ours) => ours.uid === owner.uid));
  const controlled = desired.some((ours) => ours.controller === true);
  return [...desired, ...others.map((owner) => (controlled ? { ...owner, controller: false } : owner))];
}
