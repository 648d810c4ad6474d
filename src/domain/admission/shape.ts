/**
 * Whether JSON has the shape that code expects. The API server has checked it against the schema of the kind; here it is
 * only what code would stumble over. Fields that are not named are not looked at.
 */

/** Says it of one value. */
export type Shape = (value: unknown) => boolean;

/** More than any list of our kinds may have. */
const MAX_ENTRIES = 512;

export const isText: Shape = (value) => typeof value === 'string';
export const isNumber: Shape = (value) => typeof value === 'number';
export const isTruth: Shape = (value) => typeof value === 'boolean';

/** A list of at most 512 entries, all of one shape. */
export function listOf(entry: Shape): Shape {
  return (value) => Array.isArray(value) && value.length <= MAX_ENTRIES && value.every(entry);
}

/** An object with `required` fields, and `optional` ones, which may be absent but not null. */
export function objectOf(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const [all, some] = [Object.entries(required), Object.entries(optional)];
  return (value) =>
    isObject(value) &&
    all.every(([name, shape]) => shape(fieldOf(value, name))) &&
    some.every(([name, shape]) => {
      const field = fieldOf(value, name);
      return field === undefined || shape(field);
    });
}

/** An object whose values all have one shape. */
export function mapOf(entry: Shape): Shape {
  return (value) => isObject(value) && Object.values(value).every(entry);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldOf(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
