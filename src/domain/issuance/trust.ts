/** Whether agents trust the CA of an issuer. Facts in, decision out. */

/** What is known of one CA. Instants are milliseconds since the Unix epoch. */
export interface IssuerCAFacts {
  /** The list says that it may sign now. Of any other one only the leaves that live are honoured. */
  readonly isCurrent: boolean;
  /** The API server keeps others from asking its issuer. */
  readonly isFenced: boolean;
  /** When the last leaf of it ends, by the ledger; undefined: there is none. */
  readonly lastLeafEndsAtMs: number | undefined;
  /** When it joined the bundles; undefined: it never did. */
  readonly sinceMs: number | undefined;
  /** Since when its issuer was seen without a fence; undefined when it has one. */
  readonly unfencedSinceMs: number | undefined;
}

/**
 * - `trusted`: it stands in every bundle; to be judged again at `nextMs`.
 * - `suspended`: it does not, and is remembered for the moment at which the fence is back.
 * - `forgotten`: nothing needs it.
 */
export type IssuerCATrust =
  | {
      readonly kind: 'trusted';
      readonly sinceMs: number;
      readonly unfencedSinceMs: number | undefined;
      readonly nextMs: number;
    }
  | {
      readonly kind: 'suspended';
      readonly sinceMs: number;
      readonly unfencedSinceMs: number;
      readonly nextMs: number;
    }
  | { readonly kind: 'forgotten' };

/** So long a CA stays that is trusted already: an upgrade of the chart, or a backup tool, may take the fence away for a moment. */
const FENCE_GRACE_MS = 10 * 60_000;

/** How long it stays without its fence, milliseconds. `acceleration` is 1 but in tests. */
export function fenceGraceMs(acceleration: number): number {
  return FENCE_GRACE_MS / acceleration;
}

/**
 * Judges a CA. Without its fence none joins, and one that has joined goes when `graceMs` are over, whatever lives of it: anybody
 * could be any agent by it.
 */
export function judgeIssuerCA(
  { isCurrent, isFenced, lastLeafEndsAtMs = 0, sinceMs, unfencedSinceMs }: IssuerCAFacts,
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): IssuerCATrust {
  const neededUntilMs = isCurrent ? Number.POSITIVE_INFINITY : lastLeafEndsAtMs;
  if (neededUntilMs <= nowMs) return { kind: 'forgotten' };
  if (isFenced) {
    const isNew = sinceMs === undefined || isGraceOver({ unfencedSinceMs, nowMs, graceMs });
    return {
      kind: 'trusted',
      sinceMs: isNew ? nowMs : sinceMs,
      unfencedSinceMs: undefined,
      nextMs: neededUntilMs,
    };
  }
  if (sinceMs === undefined) return { kind: 'forgotten' };
  const missed = { sinceMs, unfencedSinceMs: unfencedSinceMs ?? nowMs };
  return isGraceOver({ ...missed, nowMs, graceMs })
    ? { kind: 'suspended', ...missed, nextMs: neededUntilMs }
    : { kind: 'trusted', ...missed, nextMs: Math.min(neededUntilMs, missed.unfencedSinceMs + graceMs) };
}

/** Whether a CA has been without its fence for so long that it must not be trusted. */
export function isGraceOver({
  unfencedSinceMs,
  nowMs,
  graceMs,
}: {
  readonly unfencedSinceMs: number | undefined;
  readonly nowMs: number;
  readonly graceMs: number;
}): boolean {
  return unfencedSinceMs !== undefined && nowMs >= unfencedSinceMs + graceMs;
}
