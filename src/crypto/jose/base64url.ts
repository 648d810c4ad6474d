/** base64url as JOSE writes it; RFC 7515 section 2: without padding, and every text has one spelling. */

/** Writes the UTF-8 of a text. */
export function encodeBase64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/**
 * Reads a text that {@link encodeBase64url} could have written.
 *
 * @returns Undefined when it has padding, another character or bits to spare; RFC 4648 section 3.5. Errors: none.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64url');
  // Buffer passes over what is no character of base64 or sees its low octet alone, takes the other alphabet too, and drops
  // bits to spare.
  return octets.toString('base64url') === text ? octets : undefined;
}
