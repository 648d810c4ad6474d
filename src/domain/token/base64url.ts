/** base64url as JOSE writes it; RFC 7515 section 2: without padding, and every text has one spelling. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** By code of the character; negative for what is none. */
const VALUES: Int8Array = new Int8Array(128).fill(-1);
for (const [value, character] of [...ALPHABET].entries()) VALUES[character.charCodeAt(0)] = value;

/** Up to there, as with digests and signatures, a call of Buffer takes longer than the characters one by one. */
const SHORT_LENGTH = 128;

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
  if (text.length < SHORT_LENGTH) return decodeShort(text);
  const octets = Buffer.from(text, 'base64url');
  // Buffer passes over what is no character of base64 or sees its low octet alone, takes the other alphabet too, and drops
  // bits to spare.
  return octets.toString('base64url') === text ? octets : undefined;
}

function decodeShort(text: string): Buffer | undefined {
  const octets = Buffer.allocUnsafe((text.length * 3) >> 2);
  let [held, bits, to, seen] = [0, 0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? -1;
    seen |= value;
    held = ((held & 0x3f) << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    octets[to++] = held >> bits;
  }
  // Six bits to spare are a character that stands for no octet.
  const hasSpare = bits === 6 || (held & ((1 << bits) - 1)) !== 0;
  return seen < 0 || hasSpare ? undefined : octets;
}
