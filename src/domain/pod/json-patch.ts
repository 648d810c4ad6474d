/** Additions to a JSON document as RFC 6902 writes them; where the place to add to is absent, it is added with them. */

/** The one operation that is used: what people wrote is neither replaced nor removed. */
export interface AddOperation {
  readonly op: 'add';
  /** RFC 6901 pointer. */
  readonly path: string;
  readonly value: unknown;
}

/** Where something is in the document: names of fields and places in lists. */
export type Place = readonly (string | number)[];

/** RFC 6901 section 4: `~` and `/` of a name are written `~0` and `~1`. */
export function pointer(place: Place): string {
  return place.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Sets a field of an object that may be absent. */
export function addField(
  object: object | undefined,
  place: Place,
  [name, value]: readonly [string, unknown],
): AddOperation {
  return object === undefined
    ? { op: 'add', path: pointer(place), value: { [name]: value } }
    : { op: 'add', path: pointer([...place, name]), value };
}

/** Puts an item at the end of a list that may be absent. */
export function append(list: readonly unknown[] | undefined, place: Place, item: unknown): AddOperation {
  return list === undefined
    ? { op: 'add', path: pointer(place), value: [item] }
    : { op: 'add', path: pointer([...place, '-']), value: item };
}

/** Puts an item at the beginning of a list that may be absent. */
export function prepend(list: readonly unknown[] | undefined, place: Place, item: unknown): AddOperation {
  return list === undefined
    ? { op: 'add', path: pointer(place), value: [item] }
    : { op: 'add', path: pointer([...place, 0]), value: item };
}
