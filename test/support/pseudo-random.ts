/** Random numbers that are the same each time. */

/** A source of numbers in [0, 1); a linear congruential generator. */
export function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
