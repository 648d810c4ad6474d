/** What is known of an issuer's answer: facts found by `crypto/issuer-answer.ts`, judged by `verify.ts`. */

import type { CertificateFacts, CertificateProblem } from '../certificate/facts.ts';
import type { AuthorityFacts } from '../certificate/plan.ts';

/** A certificate above the leaf. Instants in milliseconds since the Unix epoch. */
export interface LinkFacts {
  /** basicConstraints says CA, and keyUsage allows to sign certificates. */
  readonly isAuthority: boolean;
  /** How many authorities there may be between this one and the leaf; absent means any number. */
  readonly pathLength: number | undefined;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** nameConstraints is there. */
  readonly constrainsNames: boolean;
  /** `clientAuth`, `serverAuth`, others dotted; empty when the extension is absent. */
  readonly extendedKeyUsages: readonly string[];
  /** Name and key identifier are those that the certificate below it carries. */
  readonly isNamed: boolean;
}

/** The CA that ends the chain. */
export interface AnchorFacts extends LinkFacts {
  readonly kind: 'ca';
  /** 16 lower-case hexadecimal digits. */
  readonly id: string;
}

/** Why there is none. */
export interface AnchorProblem {
  readonly kind: 'problem';
  readonly reason: 'CAMissing' | 'CAUnusable' | 'NotSignedByCA';
  /** Continues a sentence: "status.ca is not self-signed". */
  readonly message: string;
}

/** What an issuer handed back. */
export interface AnswerFacts {
  readonly leaf: CertificateFacts | CertificateProblem;
  /** The public key is that of the request. */
  readonly keyMatches: boolean;
  /** Certificates between leaf and CA, that of the leaf's issuer first. */
  readonly links: readonly LinkFacts[];
  readonly anchor: AnchorFacts | AnchorProblem;
  /** Every signature and every key of the chain is one that TLS libraries accept. */
  readonly isStrong: boolean;
}

/** So long before its end an issuer's CA signs nothing more: the moment of signing is the issuer's to choose. */
const SIGNING_MARGIN_MS = 60_000;
/** The end of a CA that is not known yet: the latest instant that a Date can hold. */
const NEVER_MS = 8.64e15;

/** An issuer's CA as the one that signs. A leaf that is cut to this end is not too short. */
export function issuerAuthority({
  id,
  notBeforeMs,
  notAfterMs,
}: Pick<AnchorFacts, 'id' | 'notBeforeMs' | 'notAfterMs'>): AuthorityFacts {
  return { id, notBeforeMs, notAfterMs: notAfterMs - SIGNING_MARGIN_MS, retiring: undefined };
}

/** Stands for the CA of an issuer that nobody has seen yet. */
export const UNKNOWN_AUTHORITY: AuthorityFacts = {
  id: 'unknown',
  notBeforeMs: 0,
  notAfterMs: NEVER_MS,
  retiring: undefined,
};
