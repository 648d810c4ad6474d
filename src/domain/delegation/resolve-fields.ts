/**
 * Reads the single values of a spec of ours: what is left out, what is right, and what the schema would refuse today
 * and is stored all the same, because an object may be older than the schema.
 */

import { parseDuration } from '../certificate/duration.ts';

/** Collects field and rule of each value that is refused. */
export type InvalidFields = string[];

/** A value at its place. */
export interface Field<T> {
  /** As people find it: `spec.rules[0].tokens.maxTTL`. */
  readonly path: string;
  readonly value: T | undefined;
}

/** Bounds of a duration, both included; `says` is how people write them. */
export interface SecondsRange {
  readonly min: number;
  readonly max: number;
  readonly says: string;
}

/** Bounds of a whole number, both included. */
export interface WholeRange {
  readonly min: number;
  readonly max: number;
}

/** How long a token lives. */
export const TTL_SECONDS: SecondsRange = { min: 10, max: 300, says: '10s to 5m' };

/** How long after the root token children may be minted. */
export const TASK_TTL_SECONDS: SecondsRange = { min: 10, max: 3_600, says: '10s to 1h' };

/** What delegations are counted in. */
export const PERIOD_SECONDS: SecondsRange = { min: 1, max: 3_600, says: '1s to 1h' };

/** How often a token is used. */
export const USES: WholeRange = { min: 1, max: 5 };

/** Delegations in a chain. */
export const DEPTH: WholeRange = { min: 1, max: 8 };

/** Delegations in a period. */
export const DELEGATIONS: WholeRange = { min: 1, max: 100_000 };

/**
 * A duration in whole seconds, rounded down.
 *
 * @returns undefined when it is left out, or refused; the latter stands in `invalid` then.
 */
export function readSeconds(
  { path, value }: Field<string>,
  range: SecondsRange,
  invalid: InvalidFields,
): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Math.floor((parseDuration(value) ?? Number.NaN) / 1000);
  if (seconds >= range.min && seconds <= range.max) return seconds;
  invalid.push(`${path} must be ${range.says}`);
  return undefined;
}

/** A whole number; otherwise as {@link readSeconds}. */
export function readWhole(
  { path, value }: Field<number>,
  { min, max }: WholeRange,
  invalid: InvalidFields,
): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  invalid.push(`${path} must be ${min} to ${max}`);
  return undefined;
}
