/** Which keys have work when something changes. Events only wake keys; what to do is read anew. */

import { isDeepStrictEqual } from 'node:util';
import type { AgentIdentity } from '../api/agent-identity.ts';
import {
  BY_DNS_HOST,
  BY_NAMESPACE,
  BY_SERVICE_ACCOUNT,
  dnsHostsOf,
  identitiesOnAccountOf,
} from '../cluster/identity-view.ts';
import type { Controller } from '../kube/controller.ts';
import { type Key, keyOf, splitKey } from '../kube/object.ts';
import { type ClusterView, identitiesOfSecret } from './cluster-view.ts';

/** A hundred looks in a second leave most of a core to everybody else, even when each of them writes. */
const APART_MS = 10;

/** The controllers that are woken. */
export interface Woken {
  readonly identities: Pick<Controller, 'enqueue'>;
  readonly bundles: Pick<Controller, 'enqueue'>;
}

/** Connects the caches with the controllers. Call before the caches start. */
export function connectTriggers(view: ClusterView, { identities, bundles }: Woken): void {
  view.identities.onChange((key, current, previous) => {
    if (isAsBefore(current, previous)) return;
    identities.enqueue(key, { priority: isUrgent(current) ? 'urgent' : 'normal' });
    const identity = current ?? previous;
    const others = identity === undefined ? [] : identitiesOnAccountOf(view, identity);
    for (const other of others) if (other !== key) identities.enqueue(other);
    for (const other of sharingDnsNames(view, current, previous)) {
      if (other !== key) identities.enqueue(other);
    }
  });
  view.identities.onStateChange(() => wakeAll(view, { identities, bundles }));
  view.serviceAccounts.onChange((key, current, previous) => {
    if (current !== undefined && previous !== undefined) return;
    for (const identity of view.identities.byIndex(BY_SERVICE_ACCOUNT, key)) identities.enqueue(identity);
  });
  for (const [namespace, { secrets, bundles: configMaps }] of view.entries()) {
    secrets.onChange((key, current, previous) => {
      for (const record of [current, previous]) {
        for (const identity of identitiesOfSecret(view, key, record)) identities.enqueue(identity);
      }
    });
    configMaps.onChange((key) => bundles.enqueue(splitKey(key).namespace ?? ''));
    for (const cache of [secrets, configMaps]) {
      cache.onStateChange(() => wake(view, { identities, bundles }, namespace));
    }
  }
}

/** Keys of the identities that list a name which an identity has, or had: by its Service, or by listing it. */
function sharingDnsNames(
  view: ClusterView,
  current: AgentIdentity | undefined,
  previous: AgentIdentity | undefined,
): Iterable<Key> {
  const names = (identity: AgentIdentity | undefined): readonly Key[] =>
    identity === undefined ? [] : [keyOf(identity.metadata), ...dnsHostsOf(identity)];
  const [now, before] = [names(current), names(previous)];
  const changed = [...new Set([...now, ...before])].filter(
    (name) => now.includes(name) !== before.includes(name),
  );
  return new Set(changed.flatMap((name) => view.identities.byIndex(BY_DNS_HOST, name)));
}

/** Wakes what is in a namespace, or everything for `*`. */
function wake(view: ClusterView, woken: Woken, namespace: string): void {
  if (namespace === '*') wakeAll(view, woken);
  else {
    wakeInTurn(woken.identities, view.identities.byIndex(BY_NAMESPACE, namespace));
    woken.bundles.enqueue(namespace);
  }
}

/** Wakes everything, the identities in turn unless they have waited for it. */
export function wakeAll(
  view: ClusterView,
  { identities, bundles }: Woken,
  { haveWaited = false }: { readonly haveWaited?: boolean } = {},
): void {
  wakeInTurn(identities, view.identities.keys(), haveWaited ? 0 : APART_MS);
  for (const namespace of namespacesToKeep(view)) bundles.enqueue(namespace);
}

/** Wakes identities behind whatever else there is to do, and some time apart: all at once, they would hold up what is new. */
export function wakeInTurn(
  identities: Woken['identities'],
  keys: Iterable<Key>,
  apartMs: number = APART_MS,
): void {
  let delayMs = 0;
  for (const key of keys) {
    identities.enqueue(key, { priority: 'background', delayMs });
    delayMs += apartMs;
  }
}

/** Namespaces that have an agent or a bundle. */
export function namespacesToKeep(view: ClusterView): ReadonlySet<string> {
  const namespaces = new Set<string>();
  for (const { metadata } of view.identities.values()) namespaces.add(metadata.namespace);
  for (const [, { bundles }] of view.entries()) {
    for (const { metadata } of bundles.values()) namespaces.add(metadata.namespace ?? '');
  }
  return namespaces;
}

/** A kill goes before everything else. */
function isUrgent(identity: AgentIdentity | undefined): boolean {
  if (identity === undefined) return true;
  return identity.spec.suspended === true || identity.metadata.deletionTimestamp !== undefined;
}

/**
 * Whether nothing changed that is kept of an object. A status that others wrote is a change; the cache does not tell of
 * own writes.
 */
export function isAsBefore<T extends { readonly metadata: { readonly resourceVersion: string } }>(
  current: T | undefined,
  previous: T | undefined,
): boolean {
  if (current === undefined || previous === undefined) return false;
  const { resourceVersion } = current.metadata;
  return isDeepStrictEqual(current, { ...previous, metadata: { ...previous.metadata, resourceVersion } });
}
