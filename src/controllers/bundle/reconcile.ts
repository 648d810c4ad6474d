/**
 * Keeps the trust bundle of one namespace true: there while the namespace has an agent, gone with the last.
 *
 * A ConfigMap of this name that somebody else made is taken over: agents trust what stands in it.
 */

import type { EventReason } from '../../api/event-reasons.ts';
import { BUNDLE_NAME, LABEL_MANAGED } from '../../api/group.ts';
import { BY_NAMESPACE } from '../../cluster/identity-view.ts';
import { SECRET_KEYS } from '../../domain/certificate/facts.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Reconcile } from '../../kube/controller.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import { isKubeError, isNamespaceTerminating } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import type { AuthorityState } from '../authority/authority-state.ts';
import type { ClusterView, GovernedNamespace } from '../cluster-view.ts';
import { type BundleRecord, bundleRecord, type ConfigMap, dataSha256 } from './bundle-record.ts';

/** What the reconciler is made of. */
export interface BundlePorts {
  readonly view: ClusterView;
  readonly client: Pick<KubeClient, 'find' | 'delete'>;
  readonly writer: FencedWriter;
  readonly authority: () => AuthorityState;
  /** Tells people; `configMap` is what it is about. */
  readonly tell: (
    configMap: ConfigMap,
    event: { readonly reason: EventReason; readonly note: string },
  ) => void;
}

/** The key is a namespace. Idempotent. */
export function bundleReconciler(ports: BundlePorts): Reconcile {
  /** Namespaces where a bundle stands that no cache shows: it lacks our label. */
  const contested = new Set<Key>();
  return async (namespace, { signal }) => {
    const governed = ports.view.governed(namespace);
    // Without a whole list of identities a namespace only looks as if it had no agent.
    if (!ports.view.identities.hasSynced || governed?.bundles.state !== 'synced') return { kind: 'settled' };
    const cached = governed.bundles.get(keyOf({ namespace, name: BUNDLE_NAME }));
    if (ports.view.identities.byIndex(BY_NAMESPACE, namespace).length === 0) {
      contested.delete(namespace);
      if (cached !== undefined) await remove(ports, governed, cached, signal);
      return { kind: 'settled' };
    }
    const authority = ports.authority();
    // The authority wakes every namespace when it becomes ready.
    if (authority.kind !== 'ready') return { kind: 'stalled', reason: 'AuthorityUnavailable' };
    const observed =
      cached ?? (contested.has(namespace) ? await findLive(ports, namespace, signal) : undefined);
    try {
      await keep(ports, { governed, namespace, observed, bundlePem: authority.bundlePem }, signal);
      contested.delete(namespace);
    } catch (error) {
      if (isNamespaceTerminating(error)) return { kind: 'settled' };
      if (isKubeError(error, 'KUBE_ALREADY_EXISTS')) contested.add(namespace);
      throw error;
    }
    return { kind: 'settled' };
  };
}

interface Wanted {
  readonly governed: GovernedNamespace;
  readonly namespace: string;
  readonly observed: BundleRecord | undefined;
  readonly bundlePem: string;
}

async function keep(
  ports: BundlePorts,
  { governed, namespace, observed, bundlePem }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const desired: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: BUNDLE_NAME, namespace, labels: { [LABEL_MANAGED]: 'true' } },
    data: { [SECRET_KEYS.trustBundle]: bundlePem },
  };
  const wrong = observed === undefined ? undefined : whatIsWrong(observed, desired);
  if (observed !== undefined && wrong === undefined) return;
  const written = await write(ports.writer, desired, observed, signal);
  governed.bundles.observe(written);
  if (wrong !== undefined)
    ports.tell(written, { reason: 'BundleTampered', note: `Mended the trust bundle: ${wrong}` });
}

function whatIsWrong(
  { metadata, immutable, dataSha256: found }: BundleRecord,
  desired: ConfigMap,
): string | undefined {
  if (metadata.labels?.[LABEL_MANAGED] !== 'true') return `the label ${LABEL_MANAGED} was missing`;
  if (immutable) return 'it was immutable';
  return found === dataSha256(desired.data ?? {}) ? undefined : 'its data were not the trusted roots';
}

function write(
  writer: FencedWriter,
  desired: ConfigMap,
  observed: BundleRecord | undefined,
  signal: AbortSignal,
): Promise<ConfigMap> {
  if (observed === undefined) return writer.create(CONFIG_MAP, desired, { signal });
  const replacement = { desired, observed: observed.metadata };
  return observed.immutable
    ? writer.recreate(CONFIG_MAP, replacement, { signal })
    : writer.replace(CONFIG_MAP, replacement, { signal });
}

async function findLive(
  { client }: BundlePorts,
  namespace: string,
  signal: AbortSignal,
): Promise<BundleRecord | undefined> {
  const found = await client.find<ConfigMap>(CONFIG_MAP, { namespace, name: BUNDLE_NAME }, { signal });
  return found === undefined ? undefined : bundleRecord(found);
}

async function remove(
  { client }: BundlePorts,
  { bundles }: GovernedNamespace,
  { metadata }: BundleRecord,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  try {
    await client.delete(CONFIG_MAP, { namespace, name, uid }, { signal });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
  }
  bundles.observeDeleted(metadata);
}
