/** Whether the store of used tokens is one that can keep a token from being used twice. */

import cluster from 'node:cluster';
import { MemoryReplayStore } from '../domain/token/replay/memory-store.ts';
import type { ReplayStore } from '../domain/token/replay/replay-store.ts';
import type { ServerPolicy } from '../domain/token/state/server-policy.ts';
import { LoadFailed } from './load-failed.ts';

/** A store, and for whom it is. */
export interface StoreChoice {
  readonly store: ReplayStore;
  /** Nobody has named a store, so it is one in this process. */
  readonly isDefault: boolean;
  /** SPIFFE ID of the agent. */
  readonly identity: string;
  /** What policy.json says of the agent's server, if anything. */
  readonly server: ServerPolicy | undefined;
}

/** Of a caller's share, which is a quarter, one token is left. */
const LEAST_CAPACITY = 4;
const HINT = 'An agent that only calls others is loaded with store "none".';

/**
 * Compares the store with what it is for.
 *
 * @returns Why the agent may not verify: the store is none, or another agent's; something else verifies for the agent; several
 *   processes do, and the store is in this one alone. Undefined when it may.
 */
export function storeMismatch({ store, isDefault, identity, server }: StoreChoice): LoadFailed | undefined {
  const problem = formProblem(store);
  if (problem !== undefined) return new LoadFailed('option_invalid', problem);
  if (store.audience !== undefined && store.audience !== identity)
    return new LoadFailed(
      'option_invalid',
      `The \`store\` is for the audience ${store.audience}, and this agent is ${identity}.`,
    );
  if (server !== undefined && server.verifier !== 'SDK')
    return new LoadFailed(
      'verifier_elsewhere',
      `Tokens for this agent are verified by ${server.verifier} (spec.server.verifier). ${HINT}`,
    );
  if (server?.replay === 'Shared' && store instanceof MemoryReplayStore)
    return new LoadFailed(
      'store_not_shared',
      `Pods of this agent share their used tokens (spec.server.replay), so its store must be one that they share. ${HINT}`,
    );
  if (isDefault && cluster.isWorker)
    return new LoadFailed(
      'store_not_shared',
      `This is a worker of node:cluster, and workers share no memory: name a \`store\` that they share. ${HINT}`,
    );
  return undefined;
}

/** Types say so too, but not to who writes JavaScript. */
function formProblem(store: ReplayStore): string | undefined {
  const { consume } = Object(store) as Partial<ReplayStore>;
  if (typeof consume !== 'function')
    return '`store` is "none" or an object that can consume, as redisReplayStore makes.';
  const isGood =
    !(store instanceof MemoryReplayStore) ||
    (Number.isSafeInteger(store.capacity) && store.capacity >= LEAST_CAPACITY);
  return isGood
    ? undefined
    : `\`replayCapacity\`, and the capacity of a MemoryReplayStore, is a whole number of at least ${LEAST_CAPACITY}.`;
}
