/** Reading DER (ITU-T X.690) from the first octet to the last, for what is too large to be read as a tree. */

/** What is read is not DER of the form that is expected. */
export class DerFault extends Error {
  override readonly name = 'DerFault';
}

const MAX_LENGTH_OCTETS = 4;

/** Reads elements one after another. Every method throws DerFault when the next element is another, or not DER. */
export class DerReader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** Identifier octet of the next element; undefined at the end. */
  get tag(): number | undefined {
    return this.#octets[this.#at];
  }

  /** Contents of the next element. */
  contents(tag: number): Buffer {
    const { start, end } = this.#next(tag);
    this.#at = end;
    return this.#octets.subarray(start, end);
  }

  /** The next element with identifier and length. */
  element(tag: number): Buffer {
    const start = this.#at;
    this.#at = this.#next(tag).end;
    return this.#octets.subarray(start, this.#at);
  }

  /** Reads what is in the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.contents(tag));
  }

  /** There must be nothing more. */
  end(): void {
    if (this.#at !== this.#octets.length) throw new DerFault('there is more than expected');
  }

  #next(tag: number): { readonly start: number; readonly end: number } {
    if (this.tag !== tag) throw new DerFault('an element is of another type');
    let at = this.#at + 1;
    let length = this.#octets[at++] ?? 0x80;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > MAX_LENGTH_OCTETS || at + count > this.#octets.length)
        throw new DerFault('a length is not definite, or of nothing that is read here');
      length = this.#octets.readUIntBE(at, count);
      // Section 10.1: in the fewest octets.
      if (length < 0x80 || length < 2 ** (8 * (count - 1)))
        throw new DerFault('a length is not the shortest');
      at += count;
    }
    const end = at + length;
    if (end > this.#octets.length) throw new DerFault('an element ends too late');
    return { start: at, end };
  }
}
