/** Whether the bundle that stands in a namespace is the one that should, and what is wrong with it if somebody altered it. */

import { LABEL_MANAGED } from '../../api/group.ts';
import {
  type BundleTrust,
  peekBundleClaims,
  readBundleSignature,
} from '../../crypto/jose/bundle-signature.ts';
import type { BundleClaims } from '../../domain/bundle/claims.ts';
import { type BundleRecord, type FileDigests, isSameFiles } from './bundle-record.ts';

/** How long a bundle is good for. */
export const BUNDLE_LIFE_SECONDS = 1800;
/** Clocks of two leaders may be so far apart. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** What is looked at. */
export interface BundleJudged {
  readonly namespace: string;
  readonly observed: BundleRecord;
  readonly trust: Omit<BundleTrust, 'nowMs'>;
  /**
   * Roots, PEM, that were trusted when it may have been signed and are not any more; empty when there are none. What they have
   * signed is nobody's alteration, and counts for nothing else: one of them may be revoked.
   */
  readonly formerPem: string;
}

/** What was found. */
export interface BundleFindings {
  /** What was signed for this namespace by who is trusted, whether it has ended or not. */
  readonly claims: BundleClaims | undefined;
  /** What somebody else did to it, as the end of a sentence. */
  readonly wrong: string | undefined;
}

/** Looks at it, as of when it was signed: what has ended, or was signed by a clock that was ahead, is ours all the same. */
export function judgeBundle({ namespace, observed, trust, formerPem }: BundleJudged): BundleFindings {
  const { signature = '', metadata, immutable, digests } = observed;
  const peeked = peekBundleClaims(signature);
  const readBy = (rootsPem: string): BundleClaims | undefined =>
    peeked && readBundleSignature(signature, { ...trust, rootsPem, nowMs: peeked.iat * 1000 });
  const read = readBy(trust.rootsPem);
  const claims = read?.aud === namespace ? read : undefined;
  const isManaged = metadata.labels?.[LABEL_MANAGED] === 'true';
  if (!isManaged) return { claims, wrong: `the label ${LABEL_MANAGED} was missing` };
  if (immutable) return { claims, wrong: 'it was immutable' };
  const said = claims ?? (formerPem === '' ? undefined : readBy(formerPem));
  if (said?.aud === namespace && holds(digests, said.files)) return { claims, wrong: undefined };
  return { claims, wrong: 'its data were not what agent-trust has signed' };
}

/** Whether a bundle with these claims may stay as it is: it says what it should, and not half of its life is over. */
export function isCurrent({ iat, files }: BundleClaims, desired: FileDigests, nowMs: number): boolean {
  const isFresh = iat <= nowMs / 1000 + CLOCK_TOLERANCE_SECONDS && nowMs < renewalMs({ iat });
  return isFresh && isSameFiles(files, desired);
}

/** When a bundle is signed anew. */
export function renewalMs({ iat }: Pick<BundleClaims, 'iat'>): number {
  return (iat + BUNDLE_LIFE_SECONDS / 2) * 1000;
}

/** Whether all files of the first ConfigMap are signed; those of the others are looked at where they are. */
function holds(digests: FileDigests, signed: FileDigests): boolean {
  const own = [...signed].filter(([name]) => partOf(name) === 0);
  return isSameFiles(digests, new Map(own));
}

/** In which ConfigMap a file lies: 0 for the first. */
export function partOf(file: string): number {
  return Number(/-([1-9])\.json$/.exec(file)?.[1] ?? 0);
}
