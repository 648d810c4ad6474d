/** Reasons of the events that the operator emits, listed in docs/reference/events.md. */

export const EVENT_REASONS = {
  Issued: 'The first certificate of an identity was written.',
  Renewed: 'A certificate was replaced: it was due, or the message says what no longer held.',
  KeyRotated:
    'Another key signs for the agent: the next one took over in its course (Normal), or agenttrust.dev/refuse-keys-before dropped those before it (Warning).',
  Repaired:
    'Something of ours was altered or deleted and is as it should be again. The message says what was wrong.',
  UnknownLeaf:
    'A Secret held a certificate that the authority has signed and the issuance ledger does not know, and got a new one: somebody else may have the key of the authority. docs/reference/revocation.md says what to do.',
  IssueFailed: 'Issuing or writing failed and is tried again.',
  Refused:
    'An identity cannot be served, or a policy does not count; reason and way out stand in its condition Ready.',
  CapabilityWithheld:
    'A rule of a policy grants less than it says: there is a new entry in status.problems. The message says why, and the way out.',
  Wiped:
    'A Secret whose key nobody may hold any longer was emptied and deleted. The message says so when a finalizer of somebody else keeps it, empty.',
  MeshFailed: 'The mesh objects of an agent could not be written; it is tried again.',
  MeshDegraded:
    'The pods of an agent are not wholly behind its wall any more. The message says which, why, and what to do.',
  PolicySquatted:
    'An object of somebody else stood under the name of a mesh object of an agent, and was overwritten.',
  PodWithoutFiles:
    'Pods run as an agent without its label or its files: they came past the webhook. The message says which, and how to restart them.',
  Quarantined:
    'On a pod: it waits for the Secret of an agent that is cut off, and starts by itself after that is lifted.',
  AuthorityPrepared: 'A generation of the authority was made.',
  AuthorityActivated: 'Another generation of the authority signs from now on.',
  AuthorityForced:
    'A generation signs although it was not seen everywhere. The message names the namespaces; agents there may refuse others until they carry it.',
  AuthorityRefused:
    'The authority that was given cannot be used, and what was in use stays in use. The message begins with the reason; docs/reference/authority-input.md lists them.',
  AuthorityRetired: 'A generation of the authority is trusted no more: nothing lives that it has signed.',
  AuthorityRevoked: 'A generation of the authority is trusted no more, because an administrator revoked it.',
  AuthorityStalled:
    'The authority cannot be written: whoever signs goes on, and nothing else happens. The message says what the API server said.',
  AuthorityStateRebuilt:
    'ConfigMap agent-trust-authority-state was lost. Phases are found again from the Secret and the ledger.',
  AuthorityTainted: 'A generation of the authority is tainted: all its certificates are replaced.',
  IntentRefused:
    'ConfigMap agent-trust-authority cannot be read, so nothing of it is done. The message says why.',
  NamespaceExcluded: 'A namespace does not take a new generation of the authority and is waited for no more.',
  ReissueFinished: 'No Secret holds a certificate of a retiring generation any more.',
  ReissueStarted: 'The certificates of a generation are being replaced. The message says how many.',
  IssuerTrusted:
    'The CA of an issuer of cert-manager is in every bundle from now on. On an AgentIdentity: it was taken from the first good answer.',
  IssuerNotFenced:
    'Nothing keeps others from asking an issuer of cert-manager any more. The message says when its CA leaves the bundles.',
  IssuerUntrusted: 'The CA of an issuer of cert-manager left every bundle. The message says why.',
  IssuersUnavailable:
    'ConfigMap agent-trust-issuers cannot be read or written, so nothing is asked of issuers. The message says why.',
  BundleTampered: 'The trust bundle of a namespace was altered and is mended.',
  BundleTooLarge:
    'More agents can reach a namespace than its bundle has room for. It is not written any more, and agents there refuse all tokens once the last one has ended.',
  RepairLoop:
    'Something undoes a Secret again and again, and mending it pauses; or mesh objects, which are put back once a second.',
} as const;

/** A reason of an event. */
export type EventReason = keyof typeof EVENT_REASONS;
