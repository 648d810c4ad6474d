/** base64url as JOSE writes it; RFC 7515 section 2: without padding, and every text has one spelling. */

/** What may stand last where a text ends with two or three characters of four, so that no bit is to spare. */
const LAST_OF_TWO = 'AQgw';
const LAST_OF_THREE = 'AEIMQUYcgkosw048';

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
  // Buffer passes over what is no character of base64, so that octets are missing. It takes the other alphabet too, drops bits
  // to spare, and of a character beyond ASCII it may see the low octet alone.
  const isWhole = octets.length === (text.length * 3) >> 2 && text.length === Buffer.byteLength(text, 'utf8');
  return isWhole && hasExactEnd(text) && !text.includes('+') && !text.includes('/') ? octets : undefined;
}

function hasExactEnd(text: string): boolean {
  const last = text.charAt(text.length - 1);
  switch (text.length % 4) {
    case 0:
      return true;
    case 1:
      return false;
    case 2:
      return LAST_OF_TWO.includes(last);
    default:
      return LAST_OF_THREE.includes(last);
  }
}
