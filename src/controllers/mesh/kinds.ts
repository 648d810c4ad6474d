/** Kinds of others that mesh policy is written to and read from. */

import type { MeshRole } from '../../domain/mesh/model.ts';
import { kindOf } from '../../domain/mesh/plan.ts';
import type { ResourceType } from '../../kube/object.ts';

const ISTIO = 'security.istio.io';

export const AUTHORIZATION_POLICY: ResourceType = istio('authorizationpolicies', 'AuthorizationPolicy');
export const PEER_AUTHENTICATION: ResourceType = istio('peerauthentications', 'PeerAuthentication');

export const NETWORK_POLICY: ResourceType = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'networkpolicies',
  kind: 'NetworkPolicy',
  namespaced: true,
};

export const POD: ResourceType = core('pods', 'Pod');
export const SERVICE: ResourceType = core('services', 'Service');

export const CUSTOM_RESOURCE_DEFINITION: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Every role that an object can have. */
export const MESH_ROLES: readonly MeshRole[] = [
  'allow',
  'fence',
  'verify',
  'mtls',
  'net',
  'dryallow',
  'dryfence',
];

/** Where the objects of a role live on the server. */
export function typeOfRole(role: MeshRole): ResourceType {
  const { kind } = kindOf(role);
  return TYPES[kind];
}

const TYPES: Readonly<Record<ReturnType<typeof kindOf>['kind'], ResourceType>> = {
  AuthorizationPolicy: AUTHORIZATION_POLICY,
  PeerAuthentication: PEER_AUTHENTICATION,
  NetworkPolicy: NETWORK_POLICY,
};

function istio(plural: string, kind: string): ResourceType {
  return { group: ISTIO, version: 'v1', plural, kind, namespaced: true };
}

function core(plural: string, kind: string): ResourceType {
  return { group: '', version: 'v1', plural, kind, namespaced: true };
}
