/** What the reconcile of an identity asks of delegated issuance, and what it is told. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { ReadyReason } from '../../api/conditions.ts';
import type { IssuedLeaf } from '../../crypto/leaf.ts';
import type { SecretFacts } from '../../domain/certificate/facts.ts';
import type { AuthorityFacts, CertificateWish } from '../../domain/certificate/plan.ts';
import type { IssuerRef } from '../../domain/issuance/issuer.ts';
import type { Key } from '../../kube/object.ts';

/** Why nothing is issued, as status says it. */
export interface IssuerProblem {
  readonly reason: ReadyReason;
  readonly message: string;
}

/** The issuer of one identity, and whose leaves the identity may have. */
export interface Delegation {
  readonly kind: 'issuer';
  readonly issuer: IssuerRef;
  /** Its CAs: the one that signs, and all whose leaves are accepted; none that is known is `UNKNOWN_AUTHORITY`. */
  readonly by: { readonly signing: AuthorityFacts; readonly trusted: readonly AuthorityFacts[] };
  /** Nothing may be asked of it now; what is there is kept. */
  readonly problem: IssuerProblem | undefined;
}

/** Who signs for an identity. */
export type Signing =
  | { readonly kind: 'built-in' }
  | { readonly kind: 'refused'; readonly reason: ReadyReason; readonly message: string }
  | Delegation;

/** One leaf that is wanted. */
export interface LeafAsk {
  readonly key: Key;
  readonly identity: AgentIdentity;
  readonly wish: CertificateWish;
  readonly issuer: IssuerRef;
  /** The Secret as it is. */
  readonly observed: SecretFacts | undefined;
}

/**
 * - `leaf`: verified and in the ledger; the certificate is followed by what leads to its CA.
 * - `waiting`: look again at `recheckAtMs`, or when woken.
 * - `refused`: with `retryAtMs` another request follows then; without it, when the spec changes.
 */
export type LeafAnswer =
  | { readonly kind: 'leaf'; readonly leaf: IssuedLeaf }
  | { readonly kind: 'waiting'; readonly message: string; readonly recheckAtMs: number }
  | (IssuerProblem & {
      readonly kind: 'refused';
      readonly failure: { readonly attempts: number; readonly lastFailureMs: number } | undefined;
      readonly retryAtMs: number | undefined;
    });

/** Gets leaves from issuers. */
export interface IssuancePort {
  signingOf(identity: AgentIdentity): Signing;
  /** @throws KubeError, and what the ledger throws. */
  leafFor(ask: LeafAsk, signal: AbortSignal): Promise<LeafAnswer>;
  /** Whether an authority is the CA of an issuer. */
  isIssuer(authorityId: string): boolean;
  /** The Secret is good, or may hold what was handed out, or must not be: nothing more is wanted for the key. */
  forget(key: Key): void;
}
