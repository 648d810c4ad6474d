/** What the caches of a namespace are good for at the moment. */

import type { AgentId } from '../../domain/delegation/facts.ts';
import type { Key } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { MeshScope, MeshView } from './mesh-view.ts';
import { ownRecords } from './object-cache.ts';

/** Whether the policies of a namespace are known, and Istio's among them as far as they are served. */
export function scopeAccess(mesh: MeshView, scope: MeshScope): 'allowed' | 'refused' | 'unknown' {
  const { servesIstio } = mesh;
  const caches = [
    scope.networkPolicies,
    ...(servesIstio === true ? [scope.authorizationPolicies, scope.peerAuthentications] : []),
  ];
  const kinds = servesIstio === undefined ? mesh.kinds() : [];
  const states = [...caches, ...kinds].map(({ state }) => state);
  if (states.includes('refused')) return 'refused';
  return servesIstio !== undefined && states.every((state) => state === 'synced') ? 'allowed' : 'unknown';
}

/** Whether the objects of the agent that holds a ServiceAccount guard its pods, so that no others are needed. */
export function isGuarded(
  { view, mesh, scope }: { readonly view: ClusterView; readonly mesh: MeshView; readonly scope: MeshScope },
  holder: Key,
): boolean {
  const records = ownRecords(scope, holder as AgentId);
  if (view.identities.get(holder)?.spec.enforcement === 'DryRun') return true;
  const stands = records.has('allow') && records.has('fence');
  return records.has('net') && (stands || mesh.servesIstio !== true);
}
