/**
 * Used tokens in Redis or Valkey (6.2 or later), for an audience of which several processes run. Only who imports ioredis
 * has it: here are its types alone.
 */

import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import {
  type Consumption,
  type ConsumptionResult,
  endOf,
  forgottenAt,
  type ReplayRefusalName,
  type ReplayStore,
} from '../domain/token/replay/replay-store.ts';
import { shortText, useRecord } from '../domain/token/replay/use-record.ts';
import { RedisConnection, RedisStoreError, type ScriptCall } from './redis/connection.ts';
import { CONSUME_SCRIPT, FENCE_SCRIPT } from './redis/scripts.ts';

/** Whose tokens, and where. */
export interface RedisReplayStoreOptions {
  /** SPIFFE ID of the agent that the tokens are for. All its processes name the same. */
  readonly audience: string;
  /** What all keys begin with, for access rules; default `agent-trust:`. Letters, digits, `.`, `_`, `:`, `/` and `-`. */
  readonly prefix?: string;
  /** How long Redis may take for an answer; default 500. When it is not known what it did, it is asked a second time. */
  readonly timeoutMs?: number;
  /** Learns why a token was refused as `store_unavailable`. */
  readonly onFailure?: (error: RedisStoreError) => void;
}

/** A store with a connection of its own. */
export interface RedisReplayStore extends ReplayStore {
  readonly audience: string;
  consume(consumption: Consumption): Promise<ConsumptionResult>;
  /** Ends the connection. */
  close(): void;
}

const PREFIX = /^[\w.:/-]{0,128}$/;
const NAMES: ReadonlySet<string> = new Set<ReplayRefusalName>([
  'rate_limited',
  'replay_unknown',
  'replayed',
  'fanout_exceeded',
]);

/**
 * Makes a store. It connects by itself, again and again, with the address and the credentials of `redis`, which is left as it
 * is and may be `lazyConnect`. Until it is connected, and whenever Redis gives no answer, its `consume` rejects.
 *
 * Redis must keep what it is told or lose it with a restart: after a restart, a flush, a failover or an eviction tokens from
 * before are `replay_unknown`. With replicas it needs `min-replicas-to-write`, in a cluster nothing.
 *
 * @throws RangeError for a prefix with other characters.
 */
export function redisReplayStore(
  redis: Redis | Cluster,
  { audience, prefix = 'agent-trust:', timeoutMs = 500, onFailure }: RedisReplayStoreOptions,
): RedisReplayStore {
  if (!PREFIX.test(prefix))
    throw new RangeError('the prefix of the keys has characters that it must not have');
  const keys = new AudienceKeys(prefix, audience);
  const beginFence = (): void => {
    const call = { script: FENCE_SCRIPT, keys: [keys.fence], args: [] };
    // the next token tries again
    connection.run(call).catch(() => {});
  };
  const connection = new RedisConnection(redis, { timeoutMs, onReady: beginFence });
  return {
    audience,
    async consume(consumption) {
      try {
        return resultOf(await connection.run(consumeCall(keys, consumption)));
      } catch (error) {
        if (error instanceof RedisStoreError) onFailure?.(error);
        throw error;
      }
    },
    close: () => connection.close(),
  };
}

/** Names of keys. Braces: all of an audience lie in one slot of a cluster. */
class AudienceKeys {
  readonly fence: string;
  readonly #base: string;

  constructor(prefix: string, audience: string) {
    const digest = createHash('sha256').update(audience).digest('base64url').slice(0, 22);
    this.#base = `${prefix}{${digest}}:`;
    this.fence = `${this.#base}complete-since`;
  }

  /** All keys are short, however long what they are made from. */
  of(kind: 'token' | 'parent' | 'rule', name = ''): string {
    return `${this.#base}${kind}:${Buffer.from(shortText(name), 'latin1').toString('base64url')}`;
  }
}

function consumeCall(keys: AudienceKeys, consumption: Consumption): ScriptCall {
  const { presenter, tokenId, issuedAtSeconds, keepUntilSeconds, maxUses, parent, rateLimit } = consumption;
  return {
    script: CONSUME_SCRIPT,
    keys: [
      keys.fence,
      keys.of('token', [presenter, tokenId, keepUntilSeconds, maxUses, parent?.key].join('\n')),
      keys.of('parent', parent?.key),
      keys.of('rule', rateLimit?.key),
    ],
    args: [
      Buffer.from(useRecord(consumption), 'latin1'),
      issuedAtSeconds * 1000,
      endOf(consumption) * 1000,
      forgottenAt(keepUntilSeconds) * 1000,
      maxUses,
      parent?.maxChildren ?? '',
      forgottenAt(parent?.keepUntilSeconds ?? keepUntilSeconds) * 1000,
      rateLimit?.delegations ?? '',
      Math.ceil((rateLimit?.periodSeconds ?? 0) * 1000),
    ],
  };
}

function resultOf(reply: unknown): ConsumptionResult {
  const [name, number] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  if (name === 'accepted') return { kind: 'accepted' };
  if (!isRefusalName(name) || typeof number !== 'number')
    throw new RedisStoreError('REDIS_REFUSED', 'Redis answered with something else');
  if (name === 'replayed') return { kind: 'refused', name, isSameRequest: number === 1 };
  if (name === 'rate_limited') return { kind: 'refused', name, retryAfterSeconds: number };
  return { kind: 'refused', name };
}

function isRefusalName(name: unknown): name is ReplayRefusalName {
  return typeof name === 'string' && NAMES.has(name);
}
