/** How much of the effects of an edit is worked out for one answer. What decides is never left out. */

/** The work of so many plain edges; about 10 ms. */
const MAX_WORK = 1_000;

/** From the front as many as the work for one answer allows. */
export function affordable<T>(
  items: Iterable<T>,
  workOf: (item: T) => number,
): { readonly items: readonly T[]; readonly isAll: boolean } {
  const taken: T[] = [];
  let work = 0;
  for (const item of items) {
    work += workOf(item);
    if (work > MAX_WORK) return { items: taken, isAll: false };
    taken.push(item);
  }
  return { items: taken, isAll: true };
}
