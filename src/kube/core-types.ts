/** The built-in kinds that an operator usually touches, as resource types. */

import type { ResourceType } from './object.ts';

export const SECRET: ResourceType = core('secrets', 'Secret', true);
export const CONFIG_MAP: ResourceType = core('configmaps', 'ConfigMap', true);
export const SERVICE_ACCOUNT: ResourceType = core('serviceaccounts', 'ServiceAccount', true);
export const NAMESPACE: ResourceType = core('namespaces', 'Namespace', false);

export const LEASE: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export const EVENT: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

function core(plural: string, kind: string, namespaced: boolean): ResourceType {
  return { group: '', version: 'v1', plural, kind, namespaced };
}
