/** Parts of what asn1 of node-forge has read. Every function but `tagOf` throws TypeError when an element is of another form. */

import type { asn1 as Asn1Types } from 'node-forge';

/** An element with what is in it. */
export type Element = Asn1Types.Asn1;

/** Identifier octet. */
export function tagOf({ tagClass, constructed, type }: Element): number {
  return tagClass | (constructed ? 0x20 : 0) | type;
}

/** What is in a constructed element. */
export function children({ value }: Element): readonly Element[] {
  if (!Array.isArray(value)) throw new TypeError('not constructed');
  return value;
}

/** One of them, from 0. */
export function child(element: Element, at: number): Element {
  const found = children(element)[at];
  if (found === undefined) throw new TypeError('an element is missing');
  return found;
}

/** Contents of a primitive element, one character for each octet. */
export function octets(element: Element | undefined): string {
  if (typeof element?.value !== 'string') throw new TypeError('not primitive');
  return element.value;
}
