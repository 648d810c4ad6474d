/**
 * What a store remembers of one use of a token: 48 octets, however long the parts were that the request brought. Uses of one
 * token stand one after the other, so a store holds one short text for a token. All texts here have an octet a character.
 */

import { hash } from 'node:crypto';
import type { Consumption } from './replay-store.ts';

const PART_OCTETS = 16;
const RECORD_OCTETS = 3 * PART_OCTETS;
/** Stands where a request has no proof; no hash is all zeros. */
const NO_PROOF: string = '\0'.repeat(PART_OCTETS);

// Parts of a long text would keep all of it in memory: what is held is copied out of here.
const scratch = Buffer.alloc(RECORD_OCTETS);

/** The first 16 octets of the SHA-256 of a text; what keys are made of, so that all are short. */
export function shortHash(text: string): string {
  writeHash(text, 0);
  return scratch.toString('latin1', 0, PART_OCTETS);
}

/** The record of a use: attempt, fingerprint and proof, 16 octets each. */
export function useRecord({
  attemptId,
  fingerprint,
  proofId,
}: Pick<Consumption, 'attemptId' | 'fingerprint' | 'proofId'>): string {
  writeHash(attemptId, 0);
  writeHash(fingerprint, PART_OCTETS);
  if (proofId === undefined) scratch.fill(0, 2 * PART_OCTETS);
  else writeHash(proofId, 2 * PART_OCTETS);
  return scratch.toString('latin1');
}

function writeHash(text: string, offset: number): void {
  scratch.write(hash('sha256', text, 'binary'), offset, PART_OCTETS, 'latin1');
}

/** What the uses of a token so far mean for one more. */
export interface EarlierUses {
  readonly count: number;
  /** It is one of them. */
  readonly isOneOfThem: boolean;
  /** Its attempt or its proof is that of one of them. */
  readonly isPartSeen: boolean;
  /** Its request is that of one of them. */
  readonly isRequestSeen: boolean;
}

/**
 * Compares a use with those before.
 *
 * @param uses Records one after the other.
 * @param record The one in question.
 */
export function compareUses(uses: string, record: string): EarlierUses {
  const [attempt, fingerprint, proof] = [partOf(record, 0), partOf(record, 1), partOf(record, 2)];
  let [isOneOfThem, isPartSeen, isRequestSeen] = [false, false, false];
  for (let start = 0; start < uses.length; start += RECORD_OCTETS) {
    isOneOfThem ||= uses.startsWith(record, start);
    isPartSeen ||= uses.startsWith(attempt, start);
    isPartSeen ||= proof !== NO_PROOF && uses.startsWith(proof, start + 2 * PART_OCTETS);
    isRequestSeen ||= uses.startsWith(fingerprint, start + PART_OCTETS);
  }
  return { count: uses.length / RECORD_OCTETS, isOneOfThem, isPartSeen, isRequestSeen };
}

function partOf(record: string, index: number): string {
  return record.slice(index * PART_OCTETS, (index + 1) * PART_OCTETS);
}
