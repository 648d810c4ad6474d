/** Whether a Secret holds a leaf that peers take: what stands around such a one is kept, and has to carry every generation. */

import type { CertificateFacts, SecretContent } from './facts.ts';
import type { RejectedLeaf } from './plan.ts';

/** What a leaf is judged by. */
export interface LeafStanding {
  /** Whether whoever signed it is trusted, as far as is known. */
  readonly isTrusted: boolean;
  /** Whether its identity has an issuer: such a leaf stays while the issuer may not be asked, or nobody knows its CA. */
  readonly hasIssuer: boolean;
  /** What is to be said against it; a leaf that only is unknown is taken by peers. */
  readonly rejected: (leaf: CertificateFacts) => RejectedLeaf | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** Whose Secret it is, is for others to say. Errors: none. */
export function holdsGoodLeaf(
  { certificate: leaf, keyMatches }: Pick<SecretContent, 'certificate' | 'keyMatches'>,
  { isTrusted, hasIssuer, rejected, nowMs }: LeafStanding,
): boolean {
  return (
    leaf.kind === 'certificate' &&
    keyMatches &&
    (isTrusted || hasIssuer) &&
    leaf.notAfterMs >= nowMs &&
    rejected(leaf)?.because !== 'revoked'
  );
}
