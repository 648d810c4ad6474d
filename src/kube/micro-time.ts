/** MicroTime of meta/v1. */

/**
 * An instant (milliseconds since the Unix epoch) as MicroTime. The API server accepts exactly six fractional digits and
 * answers 400 to the three of `Date.toISOString`.
 */
export function microTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z');
}
