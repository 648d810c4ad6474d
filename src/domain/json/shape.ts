/**
 * Shapes of JSON values, put together from small ones: whoever reads says what there may be, and whatever else there is, is
 * a fault. Nothing is converted, filled in or passed over.
 */

import { Members } from './members.ts';
import type { JsonObject, JsonValue } from './parse.ts';

/** Why a value does not have its shape. */
export class Fault {
  /** `malformed` comes before `unknown`, which says that the only fault is a member that nobody knows. */
  readonly kind: 'malformed' | 'unknown';
  /** Names of known members from the outside in, joined by dots; empty for the value itself. */
  readonly at: string;

  constructor(kind: 'malformed' | 'unknown', at = '') {
    this.kind = kind;
    this.at = at;
  }
}

/** Reads a value. */
export type Shape<T> = (value: JsonValue) => T | Fault;

/** The shape of a member that may be absent. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

/** A shape for each member of `T`; for those that may be absent an optional one. */
export type MemberShapes<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Shape<T[K]>;
};

const MALFORMED = new Fault('malformed');

/** A member that may be absent. */
export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** A string that the predicate accepts. */
export function text(isValid: (text: string) => boolean): Shape<string> {
  return (value) => (typeof value === 'string' && isValid(value) ? value : MALFORMED);
}

/** One of these strings. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Shape<T> {
  return (value) => allowed.find((each) => each === value) ?? MALFORMED;
}

/** An integer within limits, both included. */
export function integer(least: number, most: number): Shape<number> {
  return (value) => (typeof value === 'number' && value >= least && value <= most ? value : MALFORMED);
}

/** True or false. */
export function flag(value: JsonValue): boolean | Fault {
  return typeof value === 'boolean' ? value : MALFORMED;
}

/** A list of so many elements of one shape. */
export function list<T>(
  shape: Shape<T>,
  { least = 0, most }: { readonly least?: number; readonly most: number },
): Shape<readonly T[]> {
  return (value) => {
    if (!isList(value) || value.length < least || value.length > most) return MALFORMED;
    const elements: T[] = [];
    let unknown: Fault | undefined;
    for (const each of value) {
      const element = shape(each);
      if (!(element instanceof Fault)) elements.push(element);
      else if (element.kind === 'malformed') return element;
      else unknown = element;
    }
    return unknown ?? elements;
  };
}

/** An object whose member names the predicate accepts, with values of one shape; at most so many members. */
export function record<T>(
  isName: (name: string) => boolean,
  shape: Shape<T>,
  most: number,
): Shape<ReadonlyMap<string, T>> {
  return (value) => {
    if (!isObject(value) || value.size > most) return MALFORMED;
    const members = new Map<string, T>();
    for (const [name, each] of value) {
      const member = isName(name) ? shape(each) : MALFORMED;
      if (member instanceof Fault) return member;
      members.set(name, member);
    }
    return members;
  };
}

/** An object of exactly these members. */
export function object<T extends object>(members: MemberShapes<T>): Shape<T> {
  const entries = Object.entries<Shape<unknown> | Optional<unknown>>(members).map(([name, member]) =>
    typeof member === 'function'
      ? { name, shape: member, isRequired: true }
      : { name, shape: member.optional, isRequired: false },
  );
  return (value) => {
    if (!isObject(value)) return MALFORMED;
    const read: Record<string, unknown> = {};
    let unknown: Fault | undefined;
    let known = 0;
    for (const { name, shape, isRequired } of entries) {
      const member = value.get(name);
      if (member === undefined) {
        if (isRequired) return new Fault('malformed', name);
        continue;
      }
      known++;
      const result = shape(member);
      if (!(result instanceof Fault)) read[name] = result;
      else if (result.kind === 'malformed') return below(name, result);
      else unknown = below(name, result);
    }
    if (known < value.size) return unknown ?? new Fault('unknown');
    // The type of `members` says that `read` has all that `T` asks for.
    return unknown ?? (read as T);
  };
}

/** Whether a value is an object. */
export function isObject(value: JsonValue): value is JsonObject {
  return value instanceof Members;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function below(name: string, { kind, at }: Fault): Fault {
  return new Fault(kind, at === '' ? name : `${name}.${at}`);
}
