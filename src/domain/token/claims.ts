/**
 * The claims of a capability token, as they stand in it. The set is closed: what is not here is refused.
 *
 * Sources: RFC 7519 section 4.1, RFC 8693 sections 4.1 and 4.3, RFC 9068, RFC 9396, RFC 7800, RFC 8705, RFC 9449, RFC 9493.
 */

/** Header `typ` of a capability token; RFC 8725 section 3.11. */
export const CAPABILITY_TOKEN_TYPE = 'agent-capability+jwt';

/** The one `type` of authorization_details; RFC 9396 section 2. */
export const CAPABILITY_DETAILS_TYPE = 'https://agenttrust.dev/capability/v1';

/** Signature algorithms; RFC 7518 section 3.4 and RFC 9864. The key says which. */
export type TokenAlgorithm = 'ES256' | 'Ed25519';

/** Limits that no policy widens. */
export const TOKEN_LIMITS = {
  tokenBytes: 4096,
  /** Leaf, chain and proof together. */
  presentationBytes: 12_288,
  parents: 7,
  depth: 8,
  lifetimeSeconds: 300,
  taskSeconds: 3600,
  uses: 5,
  capabilities: 16,
  resources: 16,
} as const;

/** How far two clocks may be apart. */
export const CLOCK_SKEW_SECONDS = 30;

/** A capability with the resources it is granted on. A token names each capability once. */
export interface GrantedCapability {
  readonly name: string;
  readonly resources: readonly string[];
}

/** The one element of authorization_details. */
export interface CapabilityDetails {
  readonly type: string;
  readonly capabilities: readonly GrantedCapability[];
}

/** What a token is bound to: exactly one of these. */
export type Confirmation =
  /** base64url of the SHA-256 of the certificate in DER; RFC 8705 section 3.1. */
  | { readonly 'x5t#S256': string; readonly jkt?: never }
  /** Thumbprint of a published signing key of the presenter; RFC 9449 section 6.1. */
  | { readonly jkt: string; readonly 'x5t#S256'?: never };

/** Who acts for whom, the current actor outermost; RFC 8693 section 4.1. No decision reads it. */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** A user, named by who knows them; RFC 9493 section 3.2.3. */
export interface SubjectIdentifier {
  readonly format: 'iss_sub';
  readonly iss: string;
  readonly sub: string;
}

/** A token further up, in a token of the service. */
export interface Ancestor {
  readonly client_id: string;
  readonly jti: string;
  readonly iat: number;
}

/** Configured claims of a user's token. */
export type TransactionContext = Readonly<Record<string, string | number | boolean>>;

/** All claims. Instants are seconds since the Unix epoch. */
export interface CapabilityClaims {
  /** SPIFFE ID of the presenter, or the https URL of the token service. */
  readonly iss: string;
  /** Principal of the tree: an agent's SPIFFE ID or a user. */
  readonly sub: string;
  readonly sub_id?: SubjectIdentifier;
  readonly tctx?: TransactionContext;
  readonly act?: Actor;
  /** SPIFFE ID of the presenter. */
  readonly client_id: string;
  /** SPIFFE ID of the agent that executes. */
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  /** Until when children may be minted; absent means until `exp`. */
  readonly del_exp?: number;
  readonly jti: string;
  readonly txn: string;
  readonly authorization_details: readonly CapabilityDetails[];
  readonly cnf?: Confirmation;
  /** Absent means once. */
  readonly max_uses?: number;
  /** 1 for the first call. */
  readonly del_depth: number;
  readonly del_max_depth: number;
  /** base64url of the SHA-256 of the parent's signing input. */
  readonly par_hash?: string;
  /** All ancestors, root first; only in a token of the service, of depth 2 and more. */
  readonly del_path?: readonly Ancestor[];
}

/** What a token grants. */
export function grantedBy({
  authorization_details: details,
}: Pick<CapabilityClaims, 'authorization_details'>): readonly GrantedCapability[] {
  return details[0]?.capabilities ?? [];
}

/** How often a token may be used. */
export function usesOf({ max_uses: uses }: Pick<CapabilityClaims, 'max_uses'>): number {
  return uses ?? 1;
}

/** Until when a token may have children that live. */
export function delegableUntil({ exp, del_exp: until }: Pick<CapabilityClaims, 'exp' | 'del_exp'>): number {
  return until ?? exp;
}

/** Whether the token service signed it, by what it says; an agent signs only for itself. */
export function isServiceMinted({ iss }: Pick<CapabilityClaims, 'iss'>): boolean {
  return iss.startsWith('https://');
}
