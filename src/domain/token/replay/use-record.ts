/**
 * What a store remembers of one use of a token: 48 octets, however long the parts were that the request brought. Uses of one
 * token stand one after the other, so a store holds one short text for a token. All texts here have an octet a character.
 */

import { hash } from 'node:crypto';
import { decodeBase64url } from '../base64url.ts';
import type { Consumption } from './replay-store.ts';

const PART_OCTETS = 16;
const RECORD_OCTETS = 3 * PART_OCTETS;
/** Stands where a request has no proof; no hash is all zeros. */
const NO_PROOF: string = '\0'.repeat(PART_OCTETS);
const NO_OCTETS: Uint8Array = new Uint8Array(PART_OCTETS);
const UUID_LENGTH = 36;
const DIGEST_LENGTH = 43;
const HYPHEN = 0x2d;
/** Value of a hexadecimal digit by its code; negative for what is none. */
const HEX: Int8Array = new Int8Array(128).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) HEX[digit.charCodeAt(0)] = value;

// Parts of a long text would keep all of it in memory: what is held is copied out of here.
const scratch = Buffer.alloc(RECORD_OCTETS);

/**
 * 16 octets that stand for a text; what keys are made of, so that all are short. A UUID is 16 octets, of a SHA-256 in base64url
 * they are the first, and of any other text they are the first of its SHA-256.
 */
export function shortText(text: string): string {
  writeShort(text, 0);
  return scratch.toString('latin1', 0, PART_OCTETS);
}

/** What stands for a token below its presenter and its end: its id, how often it may be used, and its parent. */
export function tokenText({ tokenId, maxUses, parent }: Consumption): string {
  writeShort(tokenId, 0);
  scratch[PART_OCTETS] = maxUses;
  if (parent === undefined) return scratch.toString('latin1', 0, PART_OCTETS + 1);
  writeShort(parent.key, PART_OCTETS + 1);
  return scratch.toString('latin1', 0, 2 * PART_OCTETS + 1);
}

/** The record of a use: attempt, fingerprint and proof, 16 octets each. */
export function useRecord({
  attemptId,
  fingerprint,
  proofId,
}: Pick<Consumption, 'attemptId' | 'fingerprint' | 'proofId'>): string {
  writeExact(attemptId, 0);
  writeShort(fingerprint, PART_OCTETS);
  if (proofId === undefined) writeOctets(NO_OCTETS, 2 * PART_OCTETS);
  // Its presenter chooses it, and could choose zeros.
  else writeHash(proofId, 2 * PART_OCTETS);
  return scratch.toString('latin1');
}

function writeShort(text: string, offset: number): void {
  const digest = text.length === DIGEST_LENGTH ? decodeBase64url(text) : undefined;
  if (digest === undefined) writeExact(text, offset);
  else writeOctets(digest, offset);
}

/** What looks like a SHA-256 may be none, and begin like another text. */
function writeExact(text: string, offset: number): void {
  if (text.length !== UUID_LENGTH || !writeUuid(text, offset)) writeHash(text, offset);
}

function writeOctets(octets: Uint8Array, offset: number): void {
  for (let at = 0; at < PART_OCTETS; at++) scratch[offset + at] = octets[at] ?? 0;
}

function writeHash(text: string, offset: number): void {
  scratch.write(hash('sha256', text, 'binary'), offset, PART_OCTETS, 'latin1');
}

/** False for what is no UUID in lower case, RFC 9562 section 4; then something may have been written. */
function writeUuid(text: string, offset: number): boolean {
  let [from, to, seen] = [0, offset, 0];
  while (from < UUID_LENGTH) {
    const isBeforeHyphen = from === 8 || from === 13 || from === 18 || from === 23;
    if (isBeforeHyphen && text.charCodeAt(from++) !== HYPHEN) return false;
    const high = HEX[text.charCodeAt(from++)] ?? -1;
    const low = HEX[text.charCodeAt(from++)] ?? -1;
    seen |= high | low;
    scratch[to++] = (high << 4) | low;
  }
  return seen >= 0;
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
