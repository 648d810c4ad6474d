/** What a verification is made from: the verifier and what it knows, and the request. */

import type { Asked } from '../../delegation/chain.ts';
import type { VerifierState } from '../state/verifier-state.ts';
import type { TokenCrypto } from '../token.ts';
import type { TokenFields } from './presentation.ts';

/** Who checks. */
export interface Verifier {
  /** SPIFFE ID of the agent that it acts for. */
  readonly self: string;
  /**
   * `host` or `host:port` under which the agent is reached, in lower case, without the default port of its scheme; what
   * `htu` of a proof may name.
   */
  readonly authorities: ReadonlySet<string>;
  /** The bundle; undefined while none was ever read. */
  readonly state: VerifierState | undefined;
  readonly crypto: TokenCrypto;
}

/** A certificate that the peer has proven in this connection to have the key of, chain and usage checked. */
export interface PeerCertificate {
  /** base64url of the SHA-256 of its DER. */
  readonly thumbprint: string;
  readonly notAfterSeconds: number;
  /** Whether a list of revoked certificates has it, now and not when the connection began. */
  readonly isRevoked: boolean;
}

/**
 * Who stands at the other end. `tls`: our own TLS. `mesh`: a proxy says so whom we have reason to believe. `none`: nobody
 * says anything. `untrusted`: somebody says something who must not.
 */
export type Peer =
  | { readonly kind: 'tls'; readonly spiffeId: string; readonly certificate: PeerCertificate }
  | { readonly kind: 'mesh'; readonly spiffeId: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'untrusted' };

/** What is asked of a token when it is verified. */
export interface AskedNow extends Asked {
  /** Only the name is asked for: on which resource, the app asks later. */
  readonly isResourceLater?: true;
}

/** A request with a token. */
export interface TokenRequest {
  readonly fields: TokenFields;
  readonly method: string;
  /** As it was received, not decoded, without query. */
  readonly path: string;
  readonly peer: Peer;
  /** What the request wants to do; absent when the app asks later. */
  readonly asked?: AskedNow;
  /** Names this presentation, so that a lost answer can be asked for again; nobody else can guess it. */
  readonly attemptId: string;
  /** Tells requests apart, so that a retry by mistake and a theft do not look the same; best a SHA-256 in base64url. */
  readonly fingerprint: string;
}

/** A verification while it is made: everything that its steps share. */
export interface Judging {
  readonly kind: 'judging';
  readonly verifier: Verifier;
  readonly state: VerifierState;
  /** Seconds since the Unix epoch. */
  readonly nowSeconds: number;
}
