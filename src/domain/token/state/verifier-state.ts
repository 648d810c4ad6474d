/** What a verifier knows: the contents of the bundle it trusts. */

import type { TokenAlgorithm } from '../claims.ts';
import type { PublicJwk } from './jwks-file.ts';
import type { TokenPolicies } from './policy-file.ts';
import type { RevocationIndex } from './revocation-index.ts';

/** A published key, ready to verify with. */
export interface VerifyingKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly jwk: PublicJwk;
  /** Seconds since the Unix epoch in which its tokens may be issued, both included. */
  readonly since: number;
  readonly until: number;
  /** Whether it signed this text. False for whatever is no signature. */
  verifies(signingInput: string, signature: Uint8Array): boolean;
}

/** Keys by `iss`, then by `kid`: a `kid` alone means nothing. */
export type Issuers = ReadonlyMap<string, ReadonlyMap<string, VerifyingKey>>;

/** One bundle. It is replaced as a whole. */
export interface VerifierState {
  readonly issuers: Issuers;
  readonly policies: TokenPolicies;
  readonly revocations: RevocationIndex;
  /** `exp` of the bundle; from then on nothing is accepted. */
  readonly expiresAtSeconds: number;
}
