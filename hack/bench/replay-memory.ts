/** What a million live tokens cost in the replay store of one process. */

import { hash, randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryReplayStore } from '../../src/domain/token/replay/memory-store.ts';
import type { BenchRow } from './row.ts';

const TOKENS = 1_000_000;
const PRESENTERS = 100;

/** Fills a store and takes what the heap has grown by. */
export async function replayMemoryRow(): Promise<BenchRow> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = heldBytes();
  let now = 0;
  const store = new MemoryReplayStore({ capacity: TOKENS * 2, now: () => now });
  now = 1000;
  for (let at = 0; at < TOKENS; at++) {
    const presenter = `spiffe://cluster.local/ns/ai-agents/sa/agent-${at % PRESENTERS}`;
    const { kind } = store.consume({
      presenter,
      tokenId: randomUUID(),
      issuedAtSeconds: now,
      keepUntilSeconds: now + 210 + (at % 120),
      maxUses: 1,
      attemptId: randomUUID(),
      fingerprint: hash('sha256', `request ${at}`, 'base64url'),
      proofId: undefined,
      parent: undefined,
      rateLimit: undefined,
    });
    if (kind !== 'accepted') throw new Error('the store refused a new token');
  }
  collect();
  const mebibytes = (heldBytes() - before) / 2 ** 20;
  if (store.size !== TOKENS) throw new Error(`the store holds ${store.size}`);
  return { name: 'replay-memory', value: Math.round(mebibytes), unit: 'MiB per million tokens' };
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
