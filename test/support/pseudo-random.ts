/** Random numbers that are the same each time. */

/**
 * A source of numbers in [0, 1): mulberry32. Unlike a plain linear congruential generator, its first numbers differ widely
 * between neighbouring seeds, so that seeds that are counted up give unlike worlds.
 */
export function pseudoRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
