/** Whether the store of used tokens is one that can keep a token from being used twice. */

import { MemoryReplayStore } from '../domain/token/replay/memory-store.ts';
import type { ReplayStore } from '../domain/token/replay/replay-store.ts';
import type { ServerPolicy } from '../domain/token/state/server-policy.ts';
import { LoadFailed } from './load-failed.ts';

/**
 * Compares the store with what policy.json says of the agent's server.
 *
 * @returns Why the agent may not verify: something else verifies for it, or its pods are several and the store is in this
 *   process alone. Undefined when it may.
 */
export function storeMismatch(server: ServerPolicy | undefined, store: ReplayStore): LoadFailed | undefined {
  if (server === undefined || !(store instanceof MemoryReplayStore)) return undefined;
  const hint = 'An agent that only calls others is loaded with store "none".';
  if (server.verifier !== 'SDK')
    return new LoadFailed(
      'verifier_elsewhere',
      `Tokens for this agent are verified by ${server.verifier} (spec.server.verifier). ${hint}`,
    );
  if (server.replay === 'Shared')
    return new LoadFailed(
      'store_not_shared',
      `Pods of this agent share their used tokens (spec.server.replay), so its store must be one that they share. ${hint}`,
    );
  return undefined;
}
