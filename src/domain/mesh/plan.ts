/**
 * From one target and what the cluster has to the objects that let in its callers and nobody else. The same input gives
 * the same bytes, in whatever order callers, routes and delegators come.
 */

import { ANNOTATION_DRY_RUN, allowSpec, fenceSpec, mtlsSpec, verifySpec } from './authorization-policy.ts';
import { type Callers, callersOf, NOBODY } from './callers.ts';
import type { CallGrants } from './grants.ts';
import type { MeshFacts, MeshNote, MeshObject, MeshPlan, MeshRole, MeshTarget } from './model.ts';
import { meshObjectName } from './names.ts';
import { agentPeer, networkPolicySpec, outsidePeer } from './network-policy.ts';

/** Its objects say that nobody may call. */
const CLOSED = ['closed', 'killed', 'tombstone'];
/** It may call nobody either. */
const ISOLATED = ['killed', 'tombstone'];

const ISTIO = 'security.istio.io/v1';
const KINDS: Readonly<Record<MeshRole, Pick<MeshObject, 'apiVersion' | 'kind'>>> = {
  allow: { apiVersion: ISTIO, kind: 'AuthorizationPolicy' },
  fence: { apiVersion: ISTIO, kind: 'AuthorizationPolicy' },
  verify: { apiVersion: ISTIO, kind: 'AuthorizationPolicy' },
  dryallow: { apiVersion: ISTIO, kind: 'AuthorizationPolicy' },
  dryfence: { apiVersion: ISTIO, kind: 'AuthorizationPolicy' },
  mtls: { apiVersion: ISTIO, kind: 'PeerAuthentication' },
  net: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
};

/** Decides which objects a target has and what they say. Errors: none. */
export function planMesh(target: MeshTarget, facts: MeshFacts): MeshPlan {
  const notes: MeshNote[] = [];
  const waits = facts.servesIstio && facts.dataPlane === 'waypoint' && target.state === 'enforce';
  if (waits) notes.push(WAYPOINT_NOT_YET);
  const callers = waits || CLOSED.includes(target.state) ? NOBODY : callersOf(target, facts.trustDomain);
  notes.push(...callers.notes);
  const isLayerFour = facts.servesIstio && facts.dataPlane === 'ambient' && target.state === 'enforce';
  if (isLayerFour) notes.push(LAYER_FOUR_ONLY);
  const grants = isAmbient(facts) ? layerFour(callers.grants) : callers.grants;
  const specs =
    target.state === 'dry-run'
      ? dryRun(target, facts, grants)
      : enforcing(target, facts, { callers, grants });
  const objects: Partial<Record<MeshRole, MeshObject>> = {};
  for (const [role, spec] of Object.entries(specs) as [MeshRole, MeshObject['spec']][]) {
    objects[role] = objectOf(target, role, spec);
  }
  return { objects, notes };
}

/** Group, version and kind of the objects of a role. */
export function kindOf(role: MeshRole): Pick<MeshObject, 'apiVersion' | 'kind'> {
  return KINDS[role];
}

const WAYPOINT_NOT_YET: MeshNote = {
  reason: 'WaypointNotYet',
  message:
    'calls come through a waypoint, which this version does not render policy for: nobody may call until the label istio.io/use-waypoint is taken off the namespace and its Services',
};

const LAYER_FOUR_ONLY: MeshNote = {
  reason: 'LayerFourOnly',
  message:
    'ztunnel checks who calls and the port; methods and paths are not checked by the mesh, nor that a caller that is no agent keeps to its paths: leave that to the verifier in the agent',
};

type Specs = Partial<Record<MeshRole, MeshObject['spec']>>;

interface Enforced {
  readonly callers: Callers;
  readonly grants: CallGrants;
}

function enforcing(target: MeshTarget, facts: MeshFacts, { callers, grants }: Enforced): Specs {
  const net = { net: netSpec(target, facts, callers) };
  if (!facts.servesIstio) return net;
  const { serviceAccountName: account } = target;
  const { authorizerProvider: provider, trustDomain } = facts;
  // ztunnel takes no notice of CUSTOM.
  const isVerified = provider !== undefined && (facts.dataPlane === 'sidecar' || facts.dataPlane === 'none');
  return {
    allow: allowSpec(account, grants),
    fence: fenceSpec(account, trustDomain, grants.keys()),
    ...(isVerified ? { verify: verifySpec(account, provider, governed(target, callers)) } : {}),
    mtls: mtlsSpec(account, 'STRICT'),
    ...net,
  };
}

/** Nothing that could refuse a call: no NetworkPolicy either. */
function dryRun({ serviceAccountName: account }: MeshTarget, facts: MeshFacts, grants: CallGrants): Specs {
  if (!facts.servesIstio) return {};
  return {
    dryallow: allowSpec(account, grants),
    dryfence: fenceSpec(account, facts.trustDomain, grants.keys()),
    mtls: mtlsSpec(account, 'PERMISSIVE'),
  };
}

/** All ports that anybody may call, and the paths of callers that bring no token. */
function governed(
  { port }: MeshTarget,
  { outside }: Callers,
): { readonly ports: readonly string[]; readonly notPaths: readonly string[] } {
  return {
    ports: [port, ...outside.flatMap(({ ports }) => ports)].map(String),
    notPaths: outside.flatMap(({ paths }) => paths),
  };
}

function netSpec(target: MeshTarget, facts: MeshFacts, { delegators, outside }: Callers): MeshObject['spec'] {
  const { serviceAccountName, state, port } = target;
  const isIsolated = ISOLATED.includes(state);
  const agents = delegators.map((each) => agentPeer(each.namespace, each.serviceAccountName));
  return networkPolicySpec(serviceAccountName, {
    peers: [
      { from: agents, ports: [port] },
      ...outside.map(({ accounts, ports }) => ({
        from: accounts.map(({ namespace }) => outsidePeer(namespace)),
        ports,
      })),
    ],
    ambient: isAmbient(facts) && !isIsolated,
    isolateEgress: isIsolated,
  });
}

function isAmbient({ dataPlane }: MeshFacts): boolean {
  return dataPlane === 'ambient' || dataPlane === 'waypoint';
}

/** Principals and ports alone: an ALLOW rule with methods or paths never matches in ztunnel. */
function layerFour(grants: CallGrants): CallGrants {
  return new Map(
    [...grants].map(([principal, operations]) => [
      principal,
      new Set([...operations].map((operation) => `${operation.slice(0, operation.indexOf(' '))}  `)),
    ]),
  );
}

function objectOf(target: MeshTarget, role: MeshRole, spec: MeshObject['spec']): MeshObject {
  const isDry = role === 'dryallow' || role === 'dryfence';
  return {
    ...KINDS[role],
    metadata: {
      name: meshObjectName(role, target),
      namespace: target.namespace,
      labels: target.labels,
      annotations: { ...target.annotations, ...(isDry ? { [ANNOTATION_DRY_RUN]: 'true' } : {}) },
    },
    spec,
  };
}
