/**
 * Writing DER (ITU-T X.690). Values that never change are put together with {@link der}; certificates, which are
 * written by the thousand, with {@link DerWriter}. Reading is left to node-forge's asn1.
 */

/** Identifier octets of the types that X.509 and PKCS#8 need. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_LENGTH = 0xff_ffff;

/** Identifier octet of a context-specific type. */
export function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

/** One element: identifier, length, and the contents one after another. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const writer = new DerWriter();
  for (const content of contents.toReversed()) writer.bytes(content);
  writer.wrap(tag, 0);
  return writer.copy();
}

/** An OBJECT IDENTIFIER, from its dotted form. The first arc is 0 to 2, X.690 section 8.19. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const octets = [arc & 0x7f];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
    octets.unshift((left & 0x7f) | 0x80);
  return octets;
}

/**
 * Writes from the last octet to the first. The length of an element is known once its contents are written, so nothing
 * is measured beforehand and nothing is copied twice.
 *
 * What comes last in the result is written first; {@link wrap} then puts identifier and length before it.
 */
export class DerWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(2048);
  #start: number = this.#buffer.length;

  /** Octets written since the last {@link clear}. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#start = this.#buffer.length;
  }

  /** Puts one octet before what is there. */
  octet(octet: number): void {
    this.#reserve(1);
    this.#buffer[this.#start] = octet;
  }

  /** Puts octets before what is there. */
  bytes(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#buffer.set(octets, this.#start);
  }

  /** Puts ASCII text before what is there, without identifier and length. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.#buffer.write(text, this.#start, 'latin1');
  }

  /**
   * Makes one element of everything written since `length` was `mark`.
   *
   * @param tag Identifier octet.
   * @throws RangeError beyond 16,777,215 octets; nothing of ours comes near.
   */
  wrap(tag: number, mark: number): void {
    const length = this.length - mark;
    if (length > MAX_LENGTH) throw new RangeError(`an element of ${length} octets is not written`);
    this.octet(length & 0xff);
    if (length >= 0x100) {
      this.octet(length >>> 8);
      if (length >= 0x1_0000) this.octet(length >>> 16);
      this.octet(length >= 0x1_0000 ? 0x83 : 0x82);
    } else if (length >= 0x80) {
      this.octet(0x81);
    }
    this.octet(tag);
  }

  /** What was written, valid until something else is. */
  view(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  /** What was written, in memory of its own. */
  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#start));
  }

  #reserve(octets: number): void {
    if (octets > this.#start) this.#grow(octets);
    this.#start -= octets;
  }

  #grow(octets: number): void {
    const written = this.#buffer.subarray(this.#start);
    const larger = Buffer.allocUnsafeSlow(2 * (written.length + octets));
    this.#start = larger.length - written.length;
    larger.set(written, this.#start);
    this.#buffer = larger;
  }
}
