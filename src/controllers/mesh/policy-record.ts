/** What is kept in memory of policy objects: of ours whether they are as they should be, of others whom they select. */

import { ANNOTATION_OWNER_UID, LABEL_MANAGED, LABEL_TOMBSTONE } from '../../api/group.ts';
import type { LabelSelector } from '../../domain/delegation/facts.ts';
import type { MeshRole } from '../../domain/mesh/model.ts';
import { LABEL_IDENTITY, meshObjectName } from '../../domain/mesh/names.ts';
import { kindOf } from '../../domain/mesh/plan.ts';
import type { ForeignObject } from '../../domain/mesh/ready-facts.ts';
import type { PeerFacts, PeerMode } from '../../domain/mesh/ready-peers.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import { type PolicyObject, policyDigest } from './digest.ts';
import { MESH_ROLES } from './kinds.ts';

/** An object under one of our names, whoever wrote it. */
export interface OwnRecord {
  readonly kind: 'own';
  readonly role: MeshRole;
  /** Key of the AgentIdentity that the name belongs to. */
  readonly agent: Key;
  readonly digest: string;
  /** The ServiceAccount whose pods it selects, if it selects by our label. */
  readonly account: string | undefined;
  /** It says itself that it is ours. */
  readonly isOurs: boolean;
  readonly isTombstone: boolean;
  /** RFC 3339. Only of a PeerAuthentication: among those the oldest counts. */
  readonly createdAt?: string;
}

/** An object of somebody else that lets something in, or says how connections are taken. */
export interface ForeignRecord extends ForeignObject {
  readonly kind: 'foreign';
  /** Only of a PeerAuthentication. */
  readonly peer?: PeerFacts;
}

/** An object of somebody else that opens nothing. */
export interface OtherRecord {
  readonly kind: 'other';
}

/** The projection of a policy object. */
export type PolicyRecord = OwnRecord | ForeignRecord | OtherRecord;

const OTHER: OtherRecord = { kind: 'other' };
const OWN_NAME = /^at-([a-z]+)-(.+)-[0-9a-f]{8}$/;

interface Spec {
  readonly action?: string;
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetRefs?: readonly unknown[];
  readonly targetRef?: unknown;
  readonly rules?: readonly unknown[];
  readonly podSelector?: LabelSelector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly unknown[];
  readonly mtls?: { readonly mode?: string };
  readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: string }>>;
}

/** Projects an AuthorizationPolicy. */
export function authorizationPolicyRecord(object: PolicyObject): PolicyRecord {
  const own = ownRecord(object, 'AuthorizationPolicy');
  if (own !== undefined) return own;
  const { action = 'ALLOW', selector, targetRef, targetRefs = [], rules = [] }: Spec = object.spec ?? {};
  const isRecorded = object.metadata.annotations?.['istio.io/dry-run'] === 'true';
  // Without rules it allows nothing, as the default of a mesh that denies; with targetRefs it holds at waypoints and gateways.
  const isAtPods = targetRef === undefined && targetRefs.length === 0;
  if (action !== 'ALLOW' || isRecorded || rules.length === 0 || !isAtPods) return OTHER;
  return { kind: 'foreign', ...placeOf(object), selector: { matchLabels: selector?.matchLabels ?? {} } };
}

/** Projects a NetworkPolicy. */
export function networkPolicyRecord(object: PolicyObject): PolicyRecord {
  const own = ownRecord(object, 'NetworkPolicy');
  if (own !== undefined) return own;
  const { podSelector = {}, ingress = [], policyTypes = ['Ingress'] }: Spec = object.spec ?? {};
  if (ingress.length === 0 || !policyTypes.includes('Ingress')) return OTHER;
  return { kind: 'foreign', ...placeOf(object), selector: podSelector };
}

/** Projects a PeerAuthentication. */
export function peerAuthenticationRecord(object: PolicyObject): PolicyRecord {
  const own = ownRecord(object, 'PeerAuthentication');
  if (own !== undefined) return own;
  const { selector, mtls, portLevelMtls = {} }: Spec = object.spec ?? {};
  const matchLabels = selector?.matchLabels ?? {};
  const portModes = Object.entries(portLevelMtls).map(([port, { mode }]) => [port, modeOf(mode)]);
  const place = placeOf(object);
  const peer: PeerFacts = {
    ...place,
    createdAt: object.metadata.creationTimestamp ?? '',
    matchLabels,
    mode: modeOf(mtls?.mode),
    portModes: Object.fromEntries(portModes) as PeerFacts['portModes'],
  };
  return { kind: 'foreign', ...place, selector: { matchLabels }, peer };
}

function ownRecord(object: PolicyObject, kind: ReturnType<typeof kindOf>['kind']): OwnRecord | undefined {
  const { name, namespace = '', labels = {}, creationTimestamp = '' } = object.metadata;
  const [, roleText, agentName = ''] = OWN_NAME.exec(name) ?? [];
  const role = MESH_ROLES.find((each) => each === roleText);
  const agent = { namespace, name: agentName };
  if (role === undefined || kindOf(role).kind !== kind || meshObjectName(role, agent) !== name)
    return undefined;
  const { selector, podSelector }: Spec = object.spec ?? {};
  return {
    kind: 'own',
    role,
    agent: keyOf(agent),
    digest: policyDigest(object),
    account: (selector ?? podSelector)?.matchLabels?.[LABEL_IDENTITY],
    isOurs: isOurs(object),
    isTombstone: labels[LABEL_TOMBSTONE] !== undefined,
    ...(role === 'mtls' ? { createdAt: creationTimestamp } : {}),
  };
}

/** Whether an object says that it is ours: others may take our names, but not by accident our marks. */
export function isOurs({ metadata: { labels = {}, annotations = {} } }: PolicyObject): boolean {
  return labels[LABEL_MANAGED] !== undefined || annotations[ANNOTATION_OWNER_UID] !== undefined;
}

function placeOf({ metadata }: PolicyObject): { readonly namespace: string; readonly name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function modeOf(text: string | undefined): PeerMode {
  return text === 'DISABLE' || text === 'PERMISSIVE' || text === 'STRICT' ? text : 'UNSET';
}
