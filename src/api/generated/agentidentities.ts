/** Generated from crds/ by `npm run generate`. Do not edit. */

/**
 * What the agent is and may do.
 */
export interface AgentIdentitySpec {
  /**
   * ServiceAccount the agent's pods run as. It is the identity, unique per namespace and immutable. Default is the name of this object.
   */
  serviceAccountName?: string;
  /**
   * The ceiling: what this agent may ever do or pass on. Absent means nothing.
   *
   * @minItems 1
   * @maxItems 64
   */
  capabilities?: AgentIdentitySpecCapability[];
  certificate?: AgentIdentitySpecCertificate;
  signingKey?: AgentIdentitySpecSigningKey;
  tokens?: AgentIdentitySpecTokens;
  server?: AgentIdentitySpecServer;
  /**
   * Consent to be delegated to from other namespaces. Absent means only its own.
   *
   * @maxItems 64
   */
  acceptFrom?: AgentIdentitySpecAcceptFrom[];
  /**
   * The kill switch for GitOps: true takes certificate, keys and every edge away. Absent or false does not lift what a Quarantine holds.
   */
  suspended?: boolean;
  /**
   * Callers that are not agents, such as a gateway or Prometheus.
   *
   * @maxItems 32
   */
  callers?: AgentIdentitySpecCaller[];
  /**
   * Users for whom this agent may open a delegation tree, by exchanging their OIDC token. Absent means none: trees it opens are its own.
   *
   * @maxItems 16
   */
  onBehalfOf?: AgentIdentitySpecOnBehalfOf[];
  quarantine?: AgentIdentitySpecQuarantine;
  /**
   * Enforce, or DryRun to let everything through to this agent and only record what would be refused. For adoption.
   */
  enforcement?: 'Enforce' | 'DryRun';
}
export interface AgentIdentitySpecCapability {
  /**
   * Exact name, no wildcard; the form of an MCP tool name, and the colon.
   */
  name: string;
  /**
   * What it may be used on: a literal, or a prefix that ends in /*, or a lone *. Absent means no limit of its own.
   *
   * @minItems 1
   * @maxItems 32
   */
  resources?: string[];
  /**
   * Invoke to use it and never pass it on, Delegate to pass it on and never use it. Absent means both.
   */
  use?: 'Invoke' | 'Delegate';
}
/**
 * The X.509 certificate of the agent.
 */
export interface AgentIdentitySpecCertificate {
  /**
   * Secret of type kubernetes.io/tls to write. Default is <name>-tls.
   */
  secretName?: string;
  /**
   * Life of the certificate, 10m to 168h.
   */
  duration?: string;
  /**
   * How long before its end the certificate is renewed. Default is a third of duration.
   */
  renewBefore?: string;
  privateKey?: AgentIdentitySpecCertificatePrivateKey;
  /**
   * DNS names beside <name>.<namespace>.svc and <name>.<namespace>.svc.<cluster domain>. Only names inside the namespace.
   *
   * @maxItems 16
   */
  dnsNames?: string[];
  issuerRef?: AgentIdentitySpecCertificateIssuerRef;
  secretTemplate?: AgentIdentitySpecCertificateSecretTemplate;
}
/**
 * Algorithm and size of the private key.
 */
export interface AgentIdentitySpecCertificatePrivateKey {
  /**
   * Key algorithm.
   */
  algorithm?: 'ECDSA' | 'RSA';
  /**
   * Key size in bits. Default is 256 for ECDSA, 2048 for RSA.
   */
  size?: 256 | 384 | 2048 | 3072 | 4096;
}
/**
 * cert-manager issuer that signs instead of the built-in authority. Only issuers on the list of the chart.
 */
export interface AgentIdentitySpecCertificateIssuerRef {
  /**
   * Name of the issuer.
   */
  name: string;
  /**
   * Kind of the issuer.
   */
  kind?: string;
  /**
   * API group of the issuer.
   */
  group?: string;
}
/**
 * Labels and annotations to put on the Secret.
 */
export interface AgentIdentitySpecCertificateSecretTemplate {
  /**
   * Labels.
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Annotations.
   */
  annotations?: {
    [k: string]: string;
  };
}
/**
 * The key the agent signs capability tokens with.
 */
export interface AgentIdentitySpecSigningKey {
  /**
   * Secret to write. Default is <name>-signing.
   */
  secretName?: string;
  /**
   * JOSE algorithm.
   */
  algorithm?: 'ES256' | 'Ed25519';
  /**
   * Time between two keys, 1h to 720h.
   */
  rotationInterval?: string;
}
/**
 * Ceilings for every edge from or to this agent.
 */
export interface AgentIdentitySpecTokens {
  /**
   * Longest life of a token, 10s to 5m.
   */
  maxTTL?: string;
  /**
   * How often a token may be used.
   */
  maxUses?: number;
  /**
   * What ties a token to its holder. Auto is Certificate where our TLS reaches the verifier, Key behind a mesh; the resolved value is in policy.json of the bundle.
   */
  binding?: 'Auto' | 'Certificate' | 'Key';
  /**
   * Whether the agent may start a delegation tree. Auto: only if no edge leads to it.
   */
  originate?: 'Auto' | 'Always' | 'Never';
  /**
   * How many delegations may follow from one token.
   */
  maxChildren?: number;
}
/**
 * How other agents call this one.
 */
export interface AgentIdentitySpecServer {
  /**
   * Port of the agent's server.
   */
  port?: number;
  /**
   * What callers may request. Absent means one route, POST /v1/delegate, open to every granted caller.
   *
   * @minItems 1
   * @maxItems 32
   */
  routes?: AgentIdentitySpecServerRoute[];
  mcp?: AgentIdentitySpecServerMcp;
  /**
   * Who consumes tokens for this agent.
   */
  verifier?: 'SDK' | 'Authorizer' | 'Service';
  /**
   * Where used tokens are remembered: Memory for one replica, Shared (Redis or Valkey) for any number.
   */
  replay?: 'Memory' | 'Shared';
}
export interface AgentIdentitySpecServerRoute {
  /**
   * HTTP method.
   */
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /**
   * Exact path; {name} or {*} for one segment, {**} for the rest.
   */
  path: string;
  /**
   * Only callers whose edge grants this capability. Absent means every granted caller.
   */
  capability?: string;
  /**
   * Resource the call is about; {x} stands for the path segment of that name.
   */
  resource?: string;
  /**
   * Capability: a capability token of an edge of the caller. Access: an access token of a caller that has an edge. Absent means Capability.
   */
  accepts?: 'Capability' | 'Access';
}
/**
 * The agent is an MCP server: one route, POST path, and a capability for each tools/call.
 */
export interface AgentIdentitySpecServerMcp {
  /**
   * Path of the MCP endpoint.
   */
  path?: string;
  /**
   * Tools whose capability is not simply their own name. A tool that is not listed needs the capability of its name.
   *
   * @maxItems 128
   */
  tools?: AgentIdentitySpecServerMcpTool[];
}
export interface AgentIdentitySpecServerMcpTool {
  /**
   * params.name of tools/call.
   */
  name: string;
  /**
   * Capability it needs. Absent means its own name.
   */
  capability?: string;
  /**
   * Resource it is used on; {x} stands for the string argument x, which may not hold a slash.
   */
  resource?: string;
}
export interface AgentIdentitySpecAcceptFrom {
  /**
   * Namespace of the delegating agents.
   */
  namespace: string;
  /**
   * Only these agents of it. Absent means all.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Name of an AgentIdentity of that namespace.
   */
  agents?: string[];
}
export interface AgentIdentitySpecCaller {
  /**
   * Callers as namespace/name.
   *
   * @minItems 1
   * @maxItems 16
   */
  serviceAccounts: string[];
  /**
   * Ports they may reach.
   *
   * @minItems 1
   * @maxItems 8
   */
  ports: number[];
  /**
   * Methods they may use. Absent means all.
   *
   * @maxItems 8
   *
   * Items: HTTP method.
   */
  methods?: ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  /**
   * Paths they may use, exact.
   *
   * @minItems 1
   * @maxItems 16
   *
   * Items: Exact path, none of a route.
   */
  paths: string[];
}
export interface AgentIdentitySpecOnBehalfOf {
  /**
   * Issuer of the user tokens; one of those the operator is configured with.
   */
  issuer: string;
  /**
   * sub claims. Absent means any.
   *
   * @minItems 1
   * @maxItems 64
   */
  subjects?: string[];
  /**
   * One of these in the groups claim.
   *
   * @minItems 1
   * @maxItems 64
   */
  groups?: string[];
  /**
   * What their trees may hold at most. Absent means the ceiling of the agent.
   *
   * @minItems 1
   * @maxItems 64
   */
  capabilities?: AgentIdentitySpecOnBehalfOfCapability[];
}
export interface AgentIdentitySpecOnBehalfOfCapability {
  /**
   * Exact name, no wildcard; the form of an MCP tool name, and the colon.
   */
  name: string;
  /**
   * What it may be used on: a literal, or a prefix that ends in /*, or a lone *. Absent means no limit of its own.
   *
   * @minItems 1
   * @maxItems 32
   */
  resources?: string[];
}
/**
 * When the operator quarantines this agent by itself. Absent means never, only alerts.
 */
export interface AgentIdentitySpecQuarantine {
  /**
   * Refusals not_narrower, not_delegable, depth_exceeded and replayed of requests proven to come from this agent.
   */
  afterRefusals: number;
  /**
   * Window they are counted in.
   */
  within?: string;
}

/**
 * What is in place.
 */
export interface AgentIdentityStatus {
  /**
   * Generation of the spec that this status is about.
   */
  observedGeneration?: number;
  /**
   * Current conditions.
   *
   * @maxItems 16
   */
  conditions?: AgentIdentityStatusCondition[];
  /**
   * SPIFFE ID of the agent.
   */
  spiffeID?: string;
  certificate?: AgentIdentityStatusCertificate;
  /**
   * Keys whose signatures are or will be accepted.
   *
   * @maxItems 8
   */
  signingKeys?: AgentIdentityStatusSigningKey[];
  /**
   * Number of agents it may delegate to.
   */
  delegates?: number;
  /**
   * Number of agents that may delegate to it.
   */
  delegators?: number;
  refusals?: AgentIdentityStatusRefusals;
  suspension?: AgentIdentityStatusSuspension;
}
export interface AgentIdentityStatusCondition {
  /**
   * Type of the condition.
   */
  type: string;
  /**
   * Status of the condition.
   */
  status: 'True' | 'False' | 'Unknown';
  /**
   * Generation the condition is about.
   */
  observedGeneration?: number;
  /**
   * When status last changed.
   */
  lastTransitionTime: string;
  /**
   * Reason in CamelCase.
   */
  reason: string;
  /**
   * What a person should know.
   */
  message: string;
}
/**
 * The certificate in use.
 */
export interface AgentIdentityStatusCertificate {
  /**
   * Secret that holds it.
   */
  secretName?: string;
  /**
   * Serial number in hexadecimal.
   */
  serialNumber?: string;
  /**
   * Start.
   */
  notBefore?: string;
  /**
   * End.
   */
  notAfter?: string;
  /**
   * When the next one is issued.
   */
  renewalTime?: string;
  /**
   * Who signed it.
   */
  authority?: string;
  /**
   * identity-only when an issuer of cert-manager signed it, which no revocation list of ours covers. Refused after a kill by the identity alone.
   */
  revocation?: 'identity-only';
  /**
   * Attempts since the last success.
   */
  failedAttempts?: number;
  /**
   * When the last attempt failed.
   */
  lastFailureTime?: string;
}
export interface AgentIdentityStatusSigningKey {
  /**
   * RFC 7638 thumbprint.
   */
  kid: string;
  /**
   * State of the key.
   */
  state: 'Next' | 'Active' | 'Retiring';
  /**
   * When the state began.
   */
  since?: string;
}
/**
 * Refusals counted against spec.quarantine.
 */
export interface AgentIdentityStatusRefusals {
  /**
   * In the window.
   */
  count?: number;
  /**
   * Of the last.
   */
  lastTime?: string;
  /**
   * Name of the last.
   */
  lastReason?: string;
}
/**
 * What the kill switch has done so far. Present only while the agent is cut off.
 */
export interface AgentIdentityStatusSuspension {
  /**
   * When it was cut off.
   */
  since?: string;
  /**
   * Spec, or the Quarantine that did it.
   */
  by?: string;
  /**
   * Each layer and when it took effect.
   *
   * @maxItems 16
   */
  steps?: AgentIdentityStatusSuspensionStep[];
}
export interface AgentIdentityStatusSuspensionStep {
  /**
   * Name of the layer.
   */
  layer: string;
  /**
   * When it took effect.
   */
  effectiveAt?: string;
  /**
   * What is left to do, if anything.
   */
  message?: string;
}
