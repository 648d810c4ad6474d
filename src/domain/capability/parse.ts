/**
 * Which texts are names of capabilities and which are resource patterns. What is neither is refused, never normalised:
 * two spellings of one resource would be two resources to whoever compares.
 *
 * Grammar of a resource: `*`, or an optional `/`, `scheme://` or `scheme:///`, then segments separated by `/`, then
 * optionally `/*`. A segment is printable ASCII without `%`, `\` and `*`, not empty, and neither `.` nor `..`.
 */

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]{0,126}[A-Za-z0-9])?$/;
const MAX_RESOURCE_LENGTH = 256;
const ROOT = '(?:/|[a-z][a-z0-9+.-]*:///?)';
const SEGMENT = String.raw`(?!\.{1,2}(?:/|$))[!-$&-)+-.0-[\]-~]+`;
const PATH = new RegExp(String.raw`^${ROOT}?${SEGMENT}(?:/${SEGMENT})*(?:/\*)?$`);

/** Ends a pattern that stands for everything below its segments. */
export const BELOW = '/*';

/** Whether a text is the exact name of a capability: 1 to 128 letters, digits and `_ . : -`, no wildcard. */
export function isCapabilityName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text is a resource pattern of at most 256 characters. */
export function isResource(text: string): boolean {
  if (text === '*' || text === BELOW) return true;
  return text.length <= MAX_RESOURCE_LENGTH && PATH.test(text);
}

/** Whether a text names one resource: a pattern without a wildcard. */
export function isConcreteResource(text: string): boolean {
  return isResource(text) && !text.endsWith('*');
}
