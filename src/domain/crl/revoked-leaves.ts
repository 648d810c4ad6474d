/** Which leaves are revoked: those of identities that were cut off or are gone, from the lines of the issuance ledger. */

import { getOrInsert } from '../delegation/get-or-insert.ts';
import type { LedgerLine } from '../ledger/ledger-line.ts';

/** What became of an identity whose leaves are dead. */
export type Kill = 'suspended' | 'ended';

/** Why a leaf is revoked, by the names of RFC 5280 section 5.3.1. */
export type RevokedReason = 'privilegeWithdrawn' | 'cessationOfOperation';

/** A leaf that is revoked. Instants are milliseconds since the Unix epoch, whole seconds. */
export interface RevokedLeaf {
  /** Lower-case hexadecimal. */
  readonly serialHex: string;
  /** Of the authority that signed it. */
  readonly generation: string;
  /** Of the agent; undefined when the ledger does not know the leaf any more. */
  readonly namespace: string | undefined;
  readonly revokedAtMs: number;
  readonly notAfterMs: number;
  readonly reason: RevokedReason;
}

const REASONS: Readonly<Record<Kill, RevokedReason>> = {
  suspended: 'privilegeWithdrawn',
  ended: 'cessationOfOperation',
};

/**
 * How long after its end a leaf stays on the list: it has to be on one list that is signed after its end (RFC 5280 section 5), and
 * lists are signed anew when one is older than an hour and a bundle is renewed, every quarter of an hour.
 */
const LISTED_AFTER_END_MS = 90 * 60_000;

/** How many are listed at most. As PEM each has 67 characters, all of them a third of what a ConfigMap holds. */
const MAX_REVOKED_LEAVES = 5000;

/** The leaf of a line, revoked because of what became of its identity. */
export function revokedLeaf(line: LedgerLine, kill: Kill, nowMs: number): RevokedLeaf {
  const { serialHex, generation, namespace, notAfterMs } = line;
  const revokedAtMs = Math.floor(nowMs / 1000) * 1000;
  return { serialHex, generation, namespace, notAfterMs, revokedAtMs, reason: REASONS[kill] };
}

/** Whether a revoked leaf still has to stand on a list. */
export function isListed({ notAfterMs }: Pick<RevokedLeaf, 'notAfterMs'>, nowMs: number): boolean {
  return nowMs < notAfterMs + LISTED_AFTER_END_MS;
}

/**
 * Identities that have live leaves that are not revoked, and that nobody has seen: gone, if the API server says so too.
 *
 * @returns Their namespaces, each with UIDs.
 */
export function missingIdentities(
  lines: Iterable<LedgerLine>,
  { isKnown, isRevoked, nowMs }: MissingInput,
): ReadonlyMap<string, ReadonlySet<string>> {
  const missing = new Map<string, Set<string>>();
  for (const { identityUid, namespace, serialHex, notAfterMs } of lines) {
    if (notAfterMs < nowMs || isKnown(identityUid) || isRevoked(serialHex)) continue;
    getOrInsert(missing, namespace, () => new Set()).add(identityUid);
  }
  return missing;
}

/** What is known of identities and leaves. */
export interface MissingInput {
  readonly isKnown: (identityUid: string) => boolean;
  readonly isRevoked: (serialHex: string) => boolean;
  readonly nowMs: number;
}

/**
 * The leaves that are listed, by the generation that signed them; sorted by serial number.
 *
 * Where there are too many, every namespace may list as many as any other, so that who makes and ends agents by the thousand
 * crowds out nobody but the own ones; of those the ones that live longest are listed.
 */
export function listedLeaves(
  revoked: Iterable<RevokedLeaf>,
  nowMs: number,
  most: number = MAX_REVOKED_LEAVES,
): { readonly byGeneration: ReadonlyMap<string, readonly RevokedLeaf[]>; readonly leftOut: number } {
  const due = [...revoked].filter((leaf) => isListed(leaf, nowMs));
  const listed = due.length <= most ? due : fairShare(due, most);
  const byGeneration = new Map<string, RevokedLeaf[]>();
  for (const leaf of listed.toSorted(bySerial))
    getOrInsert(byGeneration, leaf.generation, () => []).push(leaf);
  return { byGeneration, leftOut: due.length - listed.length };
}

/** In turns of one leaf for each namespace. */
function fairShare(leaves: readonly RevokedLeaf[], most: number): readonly RevokedLeaf[] {
  const turns = new Map<string | undefined, number>();
  return leaves
    .toSorted((a, b) => b.notAfterMs - a.notAfterMs || bySerial(a, b))
    .map((leaf) => {
      const turn = turns.get(leaf.namespace) ?? 0;
      turns.set(leaf.namespace, turn + 1);
      return { leaf, turn };
    })
    .sort((a, b) => a.turn - b.turn)
    .slice(0, most)
    .map(({ leaf }) => leaf);
}

function bySerial(a: RevokedLeaf, b: RevokedLeaf): number {
  return a.serialHex < b.serialHex ? -1 : 1;
}
