/** What is to be said against a leaf that somebody has put into a Secret of ours. */

import type { CertificateFacts } from '../../domain/certificate/facts.ts';
import type { RejectedLeaf } from '../../domain/certificate/plan.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';
import type { RevokedBook } from './revoked-book.ts';

/** What it is judged by. */
export interface RejectionPorts {
  readonly leaves: Pick<LeafBook, 'isComplete' | 'find'>;
  readonly revoked: Pick<RevokedBook, 'isRevoked'>;
  /** Generations of our own authority: what others sign is in no ledger of ours. */
  readonly generations: () => readonly { readonly id: string }[];
  readonly nowMs: () => number;
}

/** Judges a leaf; undefined when there is nothing against it, or it has ended anyway. */
export function rejectedLeaf(
  { leaves, revoked, generations, nowMs }: RejectionPorts,
  { serialHex, authorityId, notAfterMs }: Pick<CertificateFacts, 'serialHex' | 'authorityId' | 'notAfterMs'>,
): RejectedLeaf | undefined {
  if (notAfterMs < nowMs() || !generations().some(({ id }) => id === authorityId)) return undefined;
  if (revoked.isRevoked(serialHex)) return { serialHex, because: 'revoked' };
  const isUnknown = leaves.isComplete && leaves.find(serialHex) === undefined;
  return isUnknown ? { serialHex, because: 'unknown' } : undefined;
}
