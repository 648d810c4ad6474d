/** Fields of an AgentIdentity that are in the schema and that no code acts on yet. */

/** A spec as it is stored; only presence and plain values are looked at. */
export type AnySpec = Readonly<Record<string, unknown>>;

/** Path below spec, and the value that means the same as leaving it out. `undefined`: any value counts as set. */
export interface UnservedField {
  readonly path: string;
  readonly meansAbsent: readonly unknown[];
}

/** Every other field of the schema is acted on. */
export const UNSERVED: readonly UnservedField[] = [
  { path: 'server.mcp.tools', meansAbsent: [] },
  { path: 'server.verifier', meansAbsent: ['SDK'] },
  { path: 'onBehalfOf', meansAbsent: [] },
  { path: 'quarantine', meansAbsent: [] },
];

/** Paths, beginning with `spec.`, of the fields that are set and have no effect. Empty lists count as absent. */
export function unservedFields(spec: AnySpec): readonly string[] {
  return UNSERVED.filter(({ path, meansAbsent }) => {
    const value = valueAt(spec, path);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return false;
    return !meansAbsent.includes(value);
  }).map(({ path }) => `spec.${path}`);
}

function valueAt(spec: AnySpec, path: string): unknown {
  let value: unknown = spec;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, step) ? (value as AnySpec)[step] : undefined;
  }
  return value;
}
