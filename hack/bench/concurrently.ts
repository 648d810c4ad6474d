/** Work on many things, some at a time. */

/** Runs `work` for 0 to `count - 1`, `workers` at a time, in order of their start. */
export async function concurrently(
  count: number,
  workers: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
