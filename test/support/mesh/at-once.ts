/** Work on every item of a list, some at a time. */

/** Runs `work` for each item, `workers` at a time, in order of their start. Rejects with the first failure. */
export async function atOnce<T>(
  workers: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
