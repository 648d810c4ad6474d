/**
 * The two forms of an ECDSA signature on P-256: R||S of 64 octets in a JWS (RFC 7518 section 3.4), DER in OpenSSL (RFC 3279
 * section 2.2.3). Node converts too, and takes longer for that than for half of the signature.
 */

const NUMBER_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * R||S to DER.
 *
 * @returns Undefined when it has not 64 octets; a signature in DER form has more in all but a vanishing share of cases, and
 *   means something else then.
 */
export function derSignature(raw: Uint8Array): Buffer | undefined {
  if (raw.length !== 2 * NUMBER_BYTES) return undefined;
  const der = Buffer.allocUnsafe(2 * NUMBER_BYTES + 8);
  const afterR = writeInteger(der, raw, { at: 2, start: 0 });
  const end = writeInteger(der, raw, { at: afterR, start: NUMBER_BYTES });
  der[0] = SEQUENCE;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/**
 * DER to R||S.
 *
 * @param der As OpenSSL writes it: minimal, both numbers positive and of at most 32 octets.
 */
export function rawSignature(der: Buffer): Buffer {
  const raw = Buffer.alloc(2 * NUMBER_BYTES);
  const rLength = der[3] ?? 0;
  const sStart = 4 + rLength + 2;
  const r = der.subarray(4, 4 + rLength);
  const s = der.subarray(sStart);
  copyRight(r, raw, NUMBER_BYTES);
  copyRight(s, raw, 2 * NUMBER_BYTES);
  return raw;
}

/**
 * Writes the positive number at `start` of `raw` without leading zeros, with one where its first bit would make it negative.
 *
 * @returns Where it ends in `der`.
 */
function writeInteger(
  der: Buffer,
  raw: Uint8Array,
  { at, start }: { readonly at: number; readonly start: number },
): number {
  const end = start + NUMBER_BYTES;
  let first = start;
  while (first < end - 1 && raw[first] === 0) first++;
  let next = at + 2;
  if ((raw[first] ?? 0) & 0x80) der[next++] = 0;
  while (first < end) der[next++] = raw[first++] ?? 0;
  der[at] = INTEGER;
  der[at + 1] = next - at - 2;
  return next;
}

/** The last 32 octets of a number, ending at `end`; a 33rd is the zero that DER puts in front. */
function copyRight(number: Buffer, raw: Buffer, end: number): void {
  const significant = number.length > NUMBER_BYTES ? number.subarray(number.length - NUMBER_BYTES) : number;
  raw.set(significant, end - significant.length);
}
