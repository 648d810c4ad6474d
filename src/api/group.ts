/** The names that objects of this project carry: group, labels, annotations, data keys. */

/** API group of every kind of ours. */
export const GROUP = 'agenttrust.dev';

/** The one version served. */
export const VERSION = 'v1alpha1';

/** Where AgentIdentities live on the server. */
export const AGENT_IDENTITY = {
  group: 'agenttrust.dev',
  version: 'v1alpha1',
  plural: 'agentidentities',
  kind: 'AgentIdentity',
  namespaced: true,
} as const;

/** Where DelegationPolicies live on the server. */
export const DELEGATION_POLICY = {
  group: 'agenttrust.dev',
  version: 'v1alpha1',
  plural: 'delegationpolicies',
  kind: 'DelegationPolicy',
  namespaced: true,
} as const;

/** Where CapabilityBoundaries live on the server: beside the namespaces, not in them. */
export const CAPABILITY_BOUNDARY = {
  group: 'agenttrust.dev',
  version: 'v1alpha1',
  plural: 'capabilityboundaries',
  kind: 'CapabilityBoundary',
  namespaced: false,
} as const;

/** Where Quarantines live on the server. */
export const QUARANTINE = {
  group: 'agenttrust.dev',
  version: 'v1alpha1',
  plural: 'quarantines',
  kind: 'Quarantine',
  namespaced: true,
} as const;

/** Where TokenRevocations live on the server. */
export const TOKEN_REVOCATION = {
  group: 'agenttrust.dev',
  version: 'v1alpha1',
  plural: 'tokenrevocations',
  kind: 'TokenRevocation',
  namespaced: true,
} as const;

/** Label on everything the operator keeps; the value is always `true`. Caches and admission select by it. */
export const LABEL_MANAGED = 'agenttrust.dev/managed';

/** Label: name of the AgentIdentity that an object is kept for. */
export const LABEL_AGENT = 'agenttrust.dev/agent';

/** Label on the closed mesh objects of an agent whose AgentIdentity is gone and whose pods still run. */
export const LABEL_TOMBSTONE = 'agenttrust.dev/tombstone';

/** Annotation: UID of the AgentIdentity that an object is kept for. */
export const ANNOTATION_OWNER_UID = 'agenttrust.dev/owner-uid';

/** Labels and annotations below this prefix belong to the operator alone. */
export const OWN_PREFIX = 'agenttrust.dev/';

/** Name of the ConfigMap with the trust bundle, one in each governed namespace that has agents. */
export const BUNDLE_NAME = 'agent-trust-bundle';

/** Secret of the operator's namespace with the keys and certificates of the authority's generations. */
export const AUTHORITY_SECRET_NAME = 'agent-trust-ca';

/** Type of that Secret. */
export const AUTHORITY_SECRET_TYPE = 'agenttrust.dev/authority';

/** ConfigMap of the operator's namespace in which administrators ask something of the authority. */
export const AUTHORITY_INTENT_NAME = 'agent-trust-authority';

/** ConfigMap of the operator's namespace with phase and progress of the authority's generations. */
export const AUTHORITY_STATE_NAME = 'agent-trust-authority-state';

/** ConfigMap of the operator's namespace with the CAs of listed issuers of cert-manager. */
export const ISSUERS_NAME = 'agent-trust-issuers';

/** Type of a Secret with an authority that somebody gives. */
export const GIVEN_SECRET_TYPE = 'kubernetes.io/tls';

/** ConfigMaps of the issuance ledger are called this and a number. */
export const LEDGER_PREFIX = 'agent-trust-ledger-';

/** Label on the ConfigMaps of the issuance ledger. */
export const LABEL_LEDGER = 'agenttrust.dev/ledger';

/** Annotation of a ledger: identity of the leader that may append to it. */
export const ANNOTATION_LEASE_EPOCH = 'agenttrust.dev/lease-epoch';

/** Annotation of a ledger: latest notAfter of its lines, RFC 3339. */
export const ANNOTATION_HIGHEST_NOT_AFTER = 'agenttrust.dev/highest-not-after';

/** Annotation of a ledger: every leaf that was issued from this RFC 3339 instant on stands in it or in one before it. */
export const ANNOTATION_COMPLETE_SINCE = 'agenttrust.dev/complete-since';

/** Annotation of a ledger: those before it that are not deleted yet, as `number=latest notAfter` with commas between. */
export const ANNOTATION_EARLIER_LEDGERS = 'agenttrust.dev/earlier-ledgers';

/** Annotation of a ledger that takes no more lines. */
export const ANNOTATION_CLOSED = 'agenttrust.dev/closed';

/** Annotation of the ConfigMap with the CAs of issuers: a generation of the authority has signed it. */
export const ANNOTATION_SIGNATURE = 'agenttrust.dev/signature';

/** Annotation on an AgentIdentity: a certificate issued before this RFC 3339 instant is renewed. */
export const ANNOTATION_RENEW_BEFORE = 'agenttrust.dev/renew-before';

/** Annotation on an AgentIdentity: signing keys that were made before this RFC 3339 instant are dropped at once. */
export const ANNOTATION_REFUSE_KEYS_BEFORE = 'agenttrust.dev/refuse-keys-before';

/** Lease that the controller replicas compete for. */
export const LEASE_NAME = 'agent-trust-controller';

/** The webhook's Service, Deployment and ServiceAccount. */
export const WEBHOOK_NAME = 'agent-trust-webhook';

/** Secret of the operator's namespace with the certificate that the webhook serves, and its key. */
export const WEBHOOK_SECRET_NAME = 'agent-trust-webhook-tls';

/** Both webhook configurations, the validating and the mutating one. */
export const WEBHOOK_CONFIGURATION_NAME = 'agent-trust';
