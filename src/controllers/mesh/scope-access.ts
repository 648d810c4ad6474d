/** What the caches of a namespace are good for at the moment. */

import type { AgentId } from '../../domain/delegation/facts.ts';
import type { Key } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { MeshScope, MeshView } from './mesh-view.ts';
import { ownRecords } from './object-cache.ts';

/** What may be done with the walls of a namespace now; `in-part`: they must stay as they are, whatever is wanted. */
export type ScopeAccess = 'allowed' | 'refused' | 'unknown' | 'in-part';

/**
 * Whether the policies of a namespace are known, and Istio's among them as far as they are served, and what carries the
 * traffic of its agents. While Istio's kinds are served in part, a mesh comes or goes: policies that it still enforces
 * are not taken away because the others cannot be written.
 */
export function scopeAccess(mesh: Pick<MeshView, 'servesIstio' | 'kinds'>, scope: MeshScope): ScopeAccess {
  const { servesIstio } = mesh;
  if (servesIstio === 'in-part') return 'in-part';
  const caches = [
    scope.networkPolicies,
    scope.services,
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
