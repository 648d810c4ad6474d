/** One byte that is another: what a broken disk, a bad edit or somebody's hand leaves behind. */

/** Positions that say most about how strictly something is read: ends, header lines, the first and the last of the body. */
export function tellingPositions(text: Buffer): readonly number[] {
  const header = text.indexOf(0x0a);
  const footer = text.lastIndexOf('-----END ');
  const all = [0, 1, 11, header, header + 1, Math.floor(text.length / 2), footer - 2, footer - 1, footer];
  const found = [...all, text.length - 2, text.length - 1];
  return [...new Set(found)].filter((at) => at >= 0 && at < text.length);
}

/** The bytes with these bits of one of them flipped. */
export function flipped(bytes: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}

/** The text with another character at that place; what was UTF-8 stays UTF-8. `by` is above 0. */
export function otherCharacter(text: string, at: number, by: number): string {
  const code = text.charCodeAt(at);
  const other = code < 0x80 ? (code + 1 + (by % 127)) % 128 : 0x3f;
  return text.slice(0, at) + String.fromCharCode(other) + text.slice(at + 1);
}
