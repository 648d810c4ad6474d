/** Looks together what MeshReady of an identity is judged on. */

import type { MeshFacts, MeshPlan, MeshTarget } from '../../domain/mesh/model.ts';
import { type Coverage, judgeCoverage } from '../../domain/mesh/ready.ts';
import type { Finding } from '../../domain/mesh/ready-facts.ts';
import { judgeMeshConfig } from '../../domain/mesh/ready-mesh-config.ts';
import type { PeerFacts } from '../../domain/mesh/ready-peers.ts';
import type { MeshScope, MeshView } from './mesh-view.ts';
import { ownRecords } from './object-cache.ts';

/** What was rendered, and where. */
export interface Rendered {
  readonly target: MeshTarget;
  readonly facts: MeshFacts;
  readonly plan: MeshPlan;
  readonly scope: MeshScope;
}

/** Judges what is seen now; undefined while the pods are not listed. */
export function coverageOf(view: MeshView, { target, facts, plan, scope }: Rendered): Coverage | undefined {
  if (!scope.pods.hasSynced) return undefined;
  const { namespace, serviceAccountName, port, state } = target;
  const foreignPeers = view.foreignPeers(namespace).map(({ peer }) => peer);
  return judgeCoverage({
    namespace,
    serviceAccountName,
    port,
    isDryRun: state === 'dry-run',
    servesIstio: facts.servesIstio,
    dataPlane: facts.dataPlane,
    rootNamespace: view.rootNamespace,
    pods: view.podsOf(namespace, serviceAccountName),
    foreignAllows: view.foreignAllows(namespace),
    foreignNetworkPolicies: view.foreignNetworkPolicies(namespace),
    peers: [...foreignPeers, ownPeer(target, plan, scope)].filter((peer) => peer !== undefined),
    notes: [...plan.notes.map(asFinding), ...judgeMeshConfig(view.meshConfig, facts)],
  });
}

/** Ours, as it is rendered; its age is that of the object on the server. */
function ownPeer(target: MeshTarget, { objects }: MeshPlan, scope: MeshScope): PeerFacts | undefined {
  const { mtls } = objects;
  if (mtls === undefined) return undefined;
  const { namespace, name } = mtls.metadata;
  const { selector, mtls: says } = mtls.spec as {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly mtls: { readonly mode: PeerFacts['mode'] };
  };
  const createdAt = ownRecords(scope, `${target.namespace}/${target.name}`).get('mtls')?.createdAt ?? '';
  return { namespace, name, createdAt, matchLabels: selector.matchLabels, mode: says.mode, portModes: {} };
}

/** As a sentence. */
function asFinding({ reason, message }: MeshPlan['notes'][number]): Finding {
  return { reason, message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` };
}
