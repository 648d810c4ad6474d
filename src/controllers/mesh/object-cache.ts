/** Where the objects of a role are kept in memory. */

import type { MeshRole } from '../../domain/mesh/model.ts';
import { meshObjectName } from '../../domain/mesh/names.ts';
import { kindOf } from '../../domain/mesh/plan.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Key } from '../../kube/object.ts';
import { splitKey } from '../../kube/object.ts';
import type { PolicyObject } from './digest.ts';
import { MESH_ROLES } from './kinds.ts';
import type { MeshScope } from './mesh-view.ts';
import type { OwnRecord, PolicyRecord } from './policy-record.ts';

/** The cache of a role's kind; undefined while the kind is not served. */
export function cacheOfRole(scope: MeshScope, role: MeshRole): Cache<PolicyRecord, PolicyObject> | undefined {
  const { kind } = kindOf(role);
  if (kind === 'NetworkPolicy') return scope.networkPolicies;
  return kind === 'PeerAuthentication'
    ? scope.peerAuthentications.current
    : scope.authorizationPolicies.current;
}

/** What stands under an agent's names, by role. */
export function ownRecords(scope: MeshScope, agent: Key): ReadonlyMap<MeshRole, OwnRecord> {
  const { namespace = '', name } = splitKey(agent);
  const records = new Map<MeshRole, OwnRecord>();
  for (const role of MESH_ROLES) {
    const key = `${namespace}/${meshObjectName(role, { namespace, name })}`;
    const record = cacheOfRole(scope, role)?.get(key);
    if (record?.kind === 'own') records.set(role, record);
  }
  return records;
}
