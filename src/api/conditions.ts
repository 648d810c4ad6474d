/**
 * Condition types and reasons that people see in `kubectl get` and `kubectl describe`.
 *
 * docs/reference/conditions.md is generated from this table.
 */

import { ISSUER_REASONS, type IssuerReason } from './issuer-reasons.ts';
import type { ReasonText } from './reason-text.ts';

/** A reason of Ready. */
export type ReadyReason =
  | IssuerReason
  | 'Issued'
  | 'Pending'
  | 'AuthorityUnavailable'
  | 'DNSNameTaken'
  | 'Deleting'
  | 'InvalidSpec'
  | 'IssueFailed'
  | 'MeshFailed'
  | 'MeshPending'
  | 'NamespaceNotGoverned'
  | 'NamespaceRoleMissing'
  | 'NamespaceTerminating'
  | 'NotServed'
  | 'Quarantined'
  | 'RepairLoop'
  | 'SecretConflict'
  | 'ServiceAccountMissing'
  | 'ServiceAccountTaken';

/** Reasons of the condition Ready of an AgentIdentity. CertificateReady and SigningKeyReady carry the same ones, but those of the mesh. */
export const READY_REASONS: Readonly<Record<ReadyReason, ReasonText>> = {
  Issued: {
    ready: 'True',
    retried: 'until renewal',
    means: 'One Secret holds a valid certificate, its key and the trust bundle, the other the signing keys.',
    wayOut: 'Nothing to do.',
  },
  Pending: {
    ready: 'Unknown',
    retried: 'at once',
    means: 'No operator has looked at this object yet.',
    wayOut: 'See that the operator runs: kubectl get pods -n agent-trust-system.',
  },
  AuthorityUnavailable: {
    ready: 'False',
    retried: 'when the authority changes, and every 10 s',
    means: 'The authority of the operator is missing, damaged or about to end, so nothing can be signed.',
    wayOut: 'The message says which. Damaged: restore Secret agent-trust-ca from a backup.',
  },
  DNSNameTaken: {
    ready: 'False',
    retried: 'when the spec or the other AgentIdentity changes',
    means:
      'spec.certificate.dnsNames has a name of another agent of the namespace: one of its Service, or one that it listed first. Nothing is issued; a certificate that is there stays until its end.',
    wayOut: 'Take the name out of one of the two.',
  },
  Deleting: {
    ready: 'False',
    retried: 'no',
    means:
      'The AgentIdentity is being deleted: its Secrets are wiped already, whatever finalizer still holds the object.',
    wayOut: 'Nothing to do, or take the finalizer away that keeps the object.',
  },
  InvalidSpec: {
    ready: 'False',
    retried: 'when the spec changes',
    means: 'A stored value is no longer allowed. The message names field and rule.',
    wayOut: 'Edit the field.',
  },
  IssueFailed: {
    ready: 'False',
    retried: '5 s, then twice as long each time, at most 5 min',
    means: 'Issuing or writing failed; the message says at which step.',
    wayOut: 'Usually nothing. If it lasts, the message names what refuses.',
  },
  ...ISSUER_REASONS,
  MeshFailed: {
    ready: 'False',
    retried: '5 s, then twice as long each time, at most 30 s',
    means:
      'The certificate is there, but the mesh objects of the agent could not be written; those that are there are as strict as before, or stricter.',
    wayOut: 'The message names what refuses.',
  },
  MeshPending: {
    ready: 'False',
    retried: 'when what is missing is there',
    means:
      'The certificate is there; who may call the agent is not known yet, so that nothing new is let in. The message says what is missing.',
    wayOut: 'helm upgrade, which puts definitions and roles back.',
  },
  NamespaceNotGoverned: {
    ready: 'False',
    retried: 'when the operator starts with another list',
    means:
      "The namespace is not in the chart's list `namespaces`, so the operator may not write Secrets there.",
    wayOut:
      "helm upgrade with the namespace added to 'namespaces'. kube- namespaces and the operator's own hold no agents.",
  },
  NamespaceRoleMissing: {
    ready: 'False',
    retried: 'every 10 to 30 s',
    means: 'The namespace is in the list, but the RoleBinding that the chart puts there is missing.',
    wayOut: 'helm upgrade, which puts it back.',
  },
  NamespaceTerminating: {
    ready: 'False',
    retried: 'no',
    means: 'The namespace is being deleted and takes no new objects.',
    wayOut: 'Nothing to do; this object goes with its namespace.',
  },
  NotServed: {
    ready: 'False',
    retried: 'when the spec changes',
    means: 'The spec sets a field that this version of the operator does not act on. The message names it.',
    wayOut: 'Take the field out, or upgrade.',
  },
  Quarantined: {
    ready: 'False',
    retried: 'when the spec changes',
    means: 'spec.suspended is true: the Secrets are wiped and nothing is issued.',
    wayOut: 'Set spec.suspended to false when the agent may live again.',
  },
  RepairLoop: {
    ready: 'False',
    retried: 'after a pause that grows from 30 s to 10 min',
    means: 'Something undoes a Secret again and again; it was mended more than six times within an hour.',
    wayOut: 'Find who writes it: kubectl get secret ... -o yaml --show-managed-fields.',
  },
  SecretConflict: {
    ready: 'False',
    retried: 'every 10 s',
    means: "A Secret of the name to write exists and is not this identity's. It is never touched.",
    wayOut:
      'Set spec.certificate.secretName or spec.signingKey.secretName to another name, or delete that Secret.',
  },
  ServiceAccountMissing: {
    ready: 'False',
    retried: 'when it appears',
    means: 'The ServiceAccount that is the identity of the agent does not exist.',
    wayOut: 'Create it; the certificate follows by itself.',
  },
  ServiceAccountTaken: {
    ready: 'False',
    retried: 'when the other one goes',
    means: 'An older AgentIdentity of the namespace has the same ServiceAccount.',
    wayOut: 'Give this agent a ServiceAccount of its own.',
  },
};

/** Reasons of the condition Quarantined, by its status. */
export const QUARANTINED_REASONS = {
  True: 'Suspended',
  False: 'NotQuarantined',
  Unknown: 'NotWiped',
} as const;

/** Reasons of the condition MeshReady, and the status that goes with each. */
export const MESH_READY_REASONS = {
  Covered: 'True',
  Degraded: 'False',
  NotInstalled: 'False',
  Pending: 'Unknown',
} as const;

/** A reason of MeshReady. */
export type MeshReadyReason = keyof typeof MESH_READY_REASONS;

/** Reasons of the condition FilesMounted, and the status that goes with each. */
export const FILES_MOUNTED_REASONS = { Mounted: 'True', NotMounted: 'False' } as const;

/** A reason of FilesMounted. */
export type FilesMountedReason = keyof typeof FILES_MOUNTED_REASONS;

/** Reasons of the condition Enforced, by its status. */
export const ENFORCED_REASONS = { True: 'Enforce', False: 'DryRun' } as const;

/** A reason of Ready and of Accepted of a DelegationPolicy, and of Ready of a CapabilityBoundary. */
export type DelegationReason =
  | 'Accepted'
  | 'Pending'
  | 'Deleting'
  | 'GraphIncomplete'
  | 'InvalidSpec'
  | 'NamespaceNotGoverned';

/** Reasons of the conditions Ready and Accepted of a DelegationPolicy; a CapabilityBoundary has some of them. */
export const DELEGATION_REASONS: Readonly<Record<DelegationReason, ReasonText>> = {
  Accepted: {
    ready: 'True',
    retried: 'whenever something that it names changes',
    means: 'The object counts. A reference of a policy that does not resolve yet does not lower this.',
    wayOut: 'Nothing to do.',
  },
  Pending: {
    ready: 'Unknown',
    retried: 'at once',
    means: 'No operator has looked at this object yet.',
    wayOut: 'See that the operator runs: kubectl get pods -n agent-trust-system.',
  },
  Deleting: {
    ready: 'False',
    retried: 'no',
    means:
      'The policy is being deleted: it grants nothing any more, whatever finalizer still holds the object.',
    wayOut: 'Nothing to do, or take the finalizer away that keeps the object.',
  },
  GraphIncomplete: {
    ready: 'False',
    retried: 'when the API server answers',
    means:
      'The API server refuses to list a kind that decides who may delegate what. The message names it. Nothing new is granted until then.',
    wayOut: 'helm upgrade, which puts definitions and ClusterRole back.',
  },
  InvalidSpec: {
    ready: 'False',
    retried: 'when the spec changes',
    means:
      'A stored value is not allowed. The message names field and rule. A policy grants nothing then; a boundary binds more, never less.',
    wayOut: 'Edit the field.',
  },
  NamespaceNotGoverned: {
    ready: 'False',
    retried: 'when the operator starts with another list',
    means:
      "The namespace of the policy is not in the chart's list `namespaces`, so no agent of it is served.",
    wayOut:
      "helm upgrade with the namespace added to 'namespaces', or move the policy to the agents that delegate.",
  },
};

/** Reasons of the condition ResolvedRefs of a DelegationPolicy, and the status that goes with each. */
export const RESOLVED_REFS_REASONS = {
  ResolvedRefs: 'True',
  NotFound: 'False',
  NotAccepted: 'False',
  Pending: 'Unknown',
} as const;

/** A reason of ResolvedRefs. */
export type ResolvedRefsReason = keyof typeof RESOLVED_REFS_REASONS;

/** A condition as it is stored (KEP-1623). `lastTransitionTime` is RFC 3339 in whole seconds. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}
