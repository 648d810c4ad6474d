/** Serial numbers of certificates. */

import { randomFillSync } from 'node:crypto';

/** Octets of a serial number: 128 bits, below the limit of 20 octets of RFC 5280 section 4.1.2.2. */
const SERIAL_BYTES = 16;
const POOL_BYTES = 4096;

/** Fills a buffer with random octets. */
export type RandomFill = (buffer: Buffer) => void;

/** Draws serial numbers from a pool of randomness: asking the system for 16 octets each costs more than the rest. */
export class SerialSource {
  readonly #fill: RandomFill;
  readonly #pool: Buffer = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  constructor(fill: RandomFill = randomFillSync) {
    this.#fill = fill;
  }

  /** 16 octets, the first never zero, so that all serials have the same length; valid until the next call. */
  next(): Buffer {
    if (this.#used === POOL_BYTES) {
      this.#fill(this.#pool);
      this.#used = 0;
    }
    const serial = this.#pool.subarray(this.#used, this.#used + SERIAL_BYTES);
    this.#used += SERIAL_BYTES;
    if (serial[0] === 0) serial[0] = 1;
    return serial;
  }
}
