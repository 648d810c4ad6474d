/** The same text in memory of its own: a part of a token, held for long, would keep all of the token in memory. */
export function ownText(text: string): string {
  // UTF-16 holds any text, lone surrogates too.
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
