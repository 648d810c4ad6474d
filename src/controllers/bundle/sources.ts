/** What bundles are made of, as the caches have it. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { DelegationView } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import {
  BY_NAMESPACE,
  type IdentityView,
  isAgentAccount,
  olderClaimant,
} from '../../cluster/identity-view.ts';
import type { BundleAgent, BundleSources } from '../../domain/bundle/contents.ts';
import { serverPolicyOf } from '../../domain/bundle/resolve-server.ts';
import { resolveTokenSettings } from '../../domain/bundle/token-settings.ts';
import { buildSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import { getOrInsert } from '../../domain/delegation/get-or-insert.ts';
import { readAgentId } from '../../domain/delegation/resolve-policy.ts';
import { namesOf } from '../../domain/identity/resolve.ts';
import { dataPlaneOf } from '../../domain/mesh/resolve-data-plane.ts';
import type { PublishedKey } from '../../domain/token/state/jwks-file.ts';
import { splitKey } from '../../kube/object.ts';
import type { RevocationBook } from '../revocation/revocation-book.ts';
import type { PodCounts } from './several-pods.ts';

/** Where the public keys of agents come from. */
export interface KeySource {
  keysIn(namespace: string): Iterable<{ readonly agent: AgentId; readonly keys: readonly PublishedKey[] }>;
  /** Calls the listener with a namespace in which keys may have changed. */
  onChange(listener: (namespace: string) => void): void;
}

/** What the sources are read from. */
export interface SourceOptions {
  readonly view: IdentityView;
  readonly delegation: Pick<DelegationView, 'namespaces'>;
  readonly book: GraphBook;
  readonly keys: KeySource;
  readonly revocations: RevocationBook;
  readonly pods: Pick<PodCounts, 'hasSeveral'>;
  readonly settings: { readonly trustDomain: string; readonly clusterDomain: string };
}

/**
 * Makes the sources. The keys of a namespace are looked up once and again after they changed: connected with the caches
 * from here on, so make it before whatever is woken by the same changes.
 */
export function bundleSources(options: SourceOptions): BundleSources {
  const { view, delegation, book, keys, revocations, pods, settings } = options;
  const keysIn = new Map<string, ReadonlyMap<AgentId, readonly PublishedKey[]>>();
  keys.onChange((namespace) => keysIn.delete(namespace));
  view.identities.onChange((key) => keysIn.delete(splitKey(key).namespace ?? ''));
  const isMeshed = (namespace: string): boolean =>
    dataPlaneOf(delegation.namespaces.get(namespace)?.labels ?? {}, undefined) !== 'none';
  return {
    clusterDomain: settings.clusterDomain,
    graph: book.graph,
    agentsIn: (namespace) => view.identities.byIndex(BY_NAMESPACE, namespace) as readonly AgentId[],
    agent(id) {
      const identity = view.identities.get(id);
      return identity && agentOf(options, identity, isMeshed(identity.metadata.namespace));
    },
    keys(id) {
      const namespace = splitKey(id).namespace ?? '';
      const known = getOrInsert(
        keysIn,
        namespace,
        () => new Map([...keys.keysIn(namespace)].map((each) => [each.agent, each.keys])),
      );
      return known.get(id) ?? [];
    },
    server(id) {
      const { namespace = '', name } = splitKey(id);
      const spec = view.identities.get(id)?.spec ?? {};
      const { serviceAccountName } = namesOf(name, spec);
      const served = {
        namespace,
        name,
        clusterDomain: settings.clusterDomain,
        hasSeveralPods: pods.hasSeveral(namespace, serviceAccountName),
      };
      return serverPolicyOf(served, spec, (account) => isAgentAccount(view, account));
    },
    get revocations() {
      return revocations.entries();
    },
    notBefore: () => undefined,
  };
}

function agentOf(
  { view, book, settings: { trustDomain } }: SourceOptions,
  { metadata, spec }: AgentIdentity,
  isMeshed: boolean,
): BundleAgent | undefined {
  const { namespace, name } = metadata;
  const { serviceAccountName } = namesOf(name, spec);
  const spiffeId = buildSpiffeId({ trustDomain, namespace, serviceAccountName });
  if (spiffeId === undefined || readAgentId(name, namespace) === undefined) return undefined;
  const settings = resolveTokenSettings(spec.tokens ?? {}, []);
  // The ServiceAccount of another agent is not theirs to cut off.
  const isCutOff = (): boolean =>
    spec.suspended === true &&
    view.scopeOf(namespace) === 'governed' &&
    olderClaimant(view, { ...metadata, serviceAccountName }) === undefined;
  const isServed = book.graph.agent(`${namespace}/${name}`)?.isServed === true;
  const state = isServed ? 'served' : isCutOff() ? 'suspended' : 'refused';
  return { namespace, name, spiffeId, settings, isMeshed, state };
}
