/** Stores in a Redis server of a test, connected and with their fence. */

import type { Redis } from 'ioredis';
import type { RedisStoreErrorCode } from '../../../src/sdk/redis/connection.ts';
import {
  type RedisReplayStore,
  type RedisReplayStoreOptions,
  redisReplayStore,
} from '../../../src/sdk/redis-store.ts';
import { eventually } from '../eventually.ts';
import type { RedisServer } from '../redis-server.ts';
import { useOf } from './replay-uses.ts';

/** SPIFFE ID of whom the tokens of tests are for. */
export const AUDIENCE = 'spiffe://cluster.local/ns/ai-agents/sa/agent-validator';

let prefixes = 0;

/** A prefix that no other test has. */
export function newPrefix(): string {
  prefixes++;
  return `test-${process.pid}-${prefixes}:`;
}

/** A store, and what can be seen of it from outside. */
export interface OpenStore {
  readonly store: RedisReplayStore;
  readonly prefix: string;
  /** Why tokens were refused as `store_unavailable`, in order. */
  readonly failures: RedisStoreErrorCode[];
  /** Its time when it began, seconds. */
  readonly nowSeconds: number;
}

/** How to open a store. */
export interface OpenStoreOptions extends Partial<RedisReplayStoreOptions> {
  /** Default: a plain client of the server. */
  readonly client?: Parameters<typeof redisReplayStore>[0];
}

/** Opens a store and waits until it answers. */
export async function openRedisStore(
  server: RedisServer,
  { client = server.client(), ...options }: OpenStoreOptions = {},
): Promise<OpenStore> {
  const prefix = options.prefix ?? newPrefix();
  const failures: RedisStoreErrorCode[] = [];
  const store = redisReplayStore(client, {
    audience: AUDIENCE,
    onFailure: ({ code }) => failures.push(code),
    ...options,
    prefix,
  });
  try {
    await eventually('the store to answer', () => store.consume(useOf(0)));
  } catch (error) {
    store.close();
    throw error;
  }
  failures.length = 0;
  return { store, prefix, failures, nowSeconds: await secondsAt(server.admin) };
}

/** Time of a server in whole seconds. */
export async function secondsAt(admin: Redis): Promise<number> {
  const [seconds] = await admin.time();
  return Number(seconds);
}

/** The key of the fence below a prefix, if there is one. */
export async function fenceOf(admin: Redis, prefix: string): Promise<string | undefined> {
  const [key] = await admin.keys(`${prefix}*complete-since`);
  return key;
}

/** When the fence below a prefix was set, seconds; undefined without one. */
export async function completeSince(admin: Redis, prefix: string): Promise<number | undefined> {
  const since = await admin.hget((await fenceOf(admin, prefix)) ?? '', 'since');
  return since === null ? undefined : Number(since) / 1000;
}

/** Lets a fence be an hour old, as if the server had run for so long. */
export async function ageFence(admin: Redis, prefix: string): Promise<void> {
  const fence = (await fenceOf(admin, prefix)) ?? '';
  await admin.hincrby(fence, 'since', -3_600_000);
}
