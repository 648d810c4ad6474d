/** Identifiers that sort by the time they were made; RFC 9562 section 5.7. */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/**
 * Builds a UUID of version 7.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 * @param random 10 octets that nobody can guess.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const octet = (at: number): number => random[at] ?? 0;
  const version = hex(0x70 | (octet(0) & 0x0f)) + hex(octet(1));
  const variant = hex(0x80 | (octet(2) & 0x3f)) + hex(octet(3));
  let node = '';
  for (let at = 4; at < 10; at++) node += hex(octet(at));
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${node}`;
}

function hex(octet: number): string {
  return HEX[octet] ?? '';
}
