/** A worker of node:cluster that tells what it may do with a store in its memory. */

import { MemoryReplayStore } from '../../../src/domain/token/replay/memory-store.ts';
import { storeMismatch } from '../../../src/sdk/store-choice.ts';

const store = new MemoryReplayStore({ capacity: 8, now: () => Date.now() / 1000 });
const identity = 'spiffe://cluster.local/ns/ai-agents/sa/agent-deployer';
const codeOf = (isDefault: boolean): string =>
  storeMismatch({ store, isDefault, identity, server: undefined })?.code ?? 'none';

process.send?.({ byDefault: codeOf(true), named: codeOf(false) });
