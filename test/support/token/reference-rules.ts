/** What the parts of the slow reference share. */

import { createPublicKey, type KeyObject, type JsonWebKey as NodeJwk, verify } from 'node:crypto';
import { getOrInsert } from '../../../src/domain/delegation/get-or-insert.ts';
import { matches } from '../delegation-reference.ts';
import type { Json } from './reference-form.ts';
import { readStrictly } from './reference-json.ts';
import type { Bundle } from './scene.ts';

/** Says "no" to the reference; never leaves it. */
export class Invalid {}

/** Goes on only if this is so. */
export function must(condition: boolean): asserts condition {
  // No error: finding out where it came from is half of the time of a run.
  if (!condition) throw new Invalid();
}

/** One call of a chain. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  readonly jti: string;
  readonly iat: number;
  readonly claims: Json | undefined;
}

/** What a token grants. */
export function capabilitiesOf(claims: Json): readonly Json[] {
  return (claims['authorization_details'] as readonly Json[])[0]?.['capabilities'] as readonly Json[];
}

/** A pattern is covered by one pattern; without resources there is no limit. */
export function covers(held: Json, wanted: Json): boolean {
  const outer = held['resources'] as readonly string[] | undefined;
  const inner = wanted['resources'] as readonly string[];
  return (
    held['name'] === wanted['name'] &&
    (outer === undefined || inner.every((each) => outer.some((one) => within(one, each))))
  );
}

/** Whether one pattern stands for all that another stands for. */
export function within(outer: string, inner: string): boolean {
  if (outer === inner || outer === '*') return true;
  if (!outer.endsWith('/*') || inner === '*') return false;
  return inner.endsWith('/*')
    ? matches(outer, `${inner.slice(0, -1)}x`) && matches(outer, `${inner.slice(0, -1)}x/y`)
    : matches(outer, inner);
}

/** Who verifies, with what, and when. */
export interface Where {
  readonly self: string;
  readonly host: string;
  readonly bundle: Bundle;
  readonly nowSeconds: number;
}

/** A token of a chain whose form and signature are right. */
export interface Link {
  readonly compact: string;
  readonly input: string;
  readonly claims: Json;
  readonly isService: boolean;
}

/** Octets that are written in just this way. */
export function strictBase64url(text: string): Buffer {
  must(/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1);
  const octets = Buffer.from(text, 'base64url');
  must(octets.toString('base64').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') === text);
  return octets;
}

/** An object, strictly. */
export function jsonObject(octets: Buffer): Json {
  const value = readStrictly(octets);
  must(typeof value === 'object' && value !== null && !Array.isArray(value));
  return value as Json;
}

const verified = new Map<string, boolean>();
const imported = new Map<string, KeyObject>();

/** Remembers what it found: the parents of a chain are the same most of the time. */
export function isSignedBy(input: string, signature: Buffer, jwk: Json): boolean {
  const question = `${jwk['kid']} ${signature.toString('hex')} ${input}`;
  const before = verified.get(question);
  if (before !== undefined) return before;
  if (verified.size > 10_000) verified.clear();
  const key = getOrInsert(imported, String(jwk['kid']), () =>
    createPublicKey({ key: jwk as NodeJwk, format: 'jwk' }),
  );
  const data = Buffer.from(input);
  const is =
    jwk['kty'] === 'OKP'
      ? verify(null, data, key, signature)
      : signature.length === 64 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  verified.set(question, is);
  return is;
}

/** One text for values that say the same, in whatever order of members. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
