/** Random octets for identifiers, drawn many at a time: a draw of ten costs about as much as one of thousands. */

import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** So many octets that nobody gets again; at most 4096. To be used at once, since they are overwritten later. */
export function randomOctets(count: number): Uint8Array {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
