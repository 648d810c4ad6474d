/** A store of used tokens that is as if it had run for an hour: a new one takes no token for its first 30 s. */

import { MemoryReplayStore } from '../../../src/domain/token/replay/memory-store.ts';

/** @param nowMs Milliseconds since the Unix epoch. */
export function agedStore(nowMs: () => number = Date.now, capacity = 100_000): MemoryReplayStore {
  let ageSeconds = 3600;
  const store = new MemoryReplayStore({ capacity, now: () => nowMs() / 1000 - ageSeconds });
  ageSeconds = 0;
  return store;
}
