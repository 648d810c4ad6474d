/**
 * One connection to Redis that would rather say "no" than wait: no queue while it is down, an answer within a time or none,
 * so many questions at once and no more. It comes back by itself.
 */

import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { RedisScript } from './scripts.ts';

/**
 * Why Redis gave no answer. `REDIS_UNREACHABLE`: no connection, or it was lost. `REDIS_TIMEOUT`: none in time.
 * `REDIS_BUSY`: too many questions are open. `REDIS_REFUSED`: it answered with an error.
 */
export type RedisStoreErrorCode = 'REDIS_UNREACHABLE' | 'REDIS_TIMEOUT' | 'REDIS_BUSY' | 'REDIS_REFUSED';

/** Could not find out. Never says what was asked, nor how Redis is reached. */
export class RedisStoreError extends Error {
  readonly code: RedisStoreErrorCode;
  /** Whether Redis may have done what it was asked. */
  readonly isAmbiguous: boolean;

  constructor(code: RedisStoreErrorCode, message: string, isAmbiguous = false) {
    super(message);
    this.name = 'RedisStoreError';
    this.code = code;
    this.isAmbiguous = isAmbiguous;
  }
}

/** What to ask: the script's keys and arguments. */
export interface ScriptCall {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** How to connect. */
export interface RedisConnectionOptions {
  /** For one question, in milliseconds. */
  readonly timeoutMs: number;
  /** Called whenever the connection is there again. */
  readonly onReady: () => void;
}

/** Questions open at once: more are refused, so that a server that does not answer costs no memory. */
const MAX_OPEN = 1024;
const LAST_DELAY_MS = 1000;
const MIN_STAY_MS = 2000;
/** How long a server that is left may take to say goodbye. */
const DISCONNECT_MS = 100;

/** A connection of its own, with address and credentials of another. Has to be closed. */
export class RedisConnection {
  readonly #redis: Redis | Cluster;
  readonly #timeoutMs: number;
  #open = 0;
  #leftAtMs = -MIN_STAY_MS;
  #whenReady: PromiseWithResolvers<void> | undefined;

  constructor(redis: Redis | Cluster, { timeoutMs, onReady }: RedisConnectionOptions) {
    this.#timeoutMs = timeoutMs;
    this.#redis = duplicate(redis, timeoutMs);
    // each question that fails says so itself
    this.#redis.on('error', () => {});
    this.#redis.on('ready', () => {
      this.#whenReady?.resolve();
      this.#whenReady = undefined;
      onReady();
    });
  }

  /**
   * Runs a script. When it is not known whether it ran, it is run once more, so it must be one that does nothing twice.
   *
   * @throws RedisStoreError After at most twice the time for one question.
   */
  async run(call: ScriptCall): Promise<unknown> {
    try {
      return await this.#ask(() => this.#evaluate(call));
    } catch (error) {
      if (!(error instanceof RedisStoreError && error.isAmbiguous)) throw error;
      return this.#ask(async (isLate) => {
        await this.#ready();
        // nobody waits any more: then it must not happen after all
        return isLate() ? undefined : this.#evaluate(call);
      });
    }
  }

  /** Ends it at once; open questions are not answered. */
  close(): void {
    this.#redis.disconnect();
  }

  async #ready(): Promise<void> {
    if (this.#redis.status === 'ready') return;
    this.#whenReady ??= Promise.withResolvers<void>();
    await this.#whenReady.promise;
  }

  async #ask(question: (isLate: () => boolean) => Promise<unknown>): Promise<unknown> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new RedisStoreError('REDIS_TIMEOUT', 'Redis did not answer in time', true));
    }, this.#timeoutMs);
    try {
      return await Promise.race([question(() => isLate), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #evaluate({ script, keys, args }: ScriptCall): Promise<unknown> {
    if (this.#redis.status !== 'ready')
      throw new RedisStoreError('REDIS_UNREACHABLE', 'there is no connection to Redis');
    if (this.#open >= MAX_OPEN)
      throw new RedisStoreError('REDIS_BUSY', `${MAX_OPEN} questions to Redis are open`);
    this.#open++;
    // answers come in order, so a connection that owes one for so long is of no use to the others
    const watchdog = setTimeout(() => this.#leave(), 2 * this.#timeoutMs);
    try {
      return await this.#redis.evalsha(script.sha1, keys.length, ...keys, ...args).catch((error: unknown) => {
        if (!isReply(error, 'NOSCRIPT')) throw error;
        return this.#redis.eval(script.text, keys.length, ...keys, ...args);
      });
    } catch (error) {
      // a replica now, as after a failover: perhaps the name of the server leads to the new primary
      if (isReply(error, 'READONLY')) this.#leave();
      throw asStoreError(error);
    } finally {
      clearTimeout(watchdog);
      this.#open--;
    }
  }

  /** Loses this connection for another, if it was not done just now. */
  #leave(): void {
    const nowMs = performance.now();
    if (nowMs < this.#leftAtMs + MIN_STAY_MS) return;
    this.#leftAtMs = nowMs;
    this.#redis.disconnect(true);
  }
}

/** Whatever its owner set, these options are what "rather no than wait" means. */
function duplicate(redis: Redis | Cluster, timeoutMs: number): Redis | Cluster {
  const node: RedisOptions = {
    keyPrefix: '',
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    readOnly: false,
    stringNumbers: false,
    connectTimeout: 2 * timeoutMs,
    // of the greeting: a question of ours is given up earlier
    commandTimeout: 4 * timeoutMs,
    disconnectTimeout: DISCONNECT_MS,
  };
  const common = { enableOfflineQueue: false, lazyConnect: false, enableAutoPipelining: false };
  if (isCluster(redis)) {
    const options: ClusterOptions = {
      ...common,
      keyPrefix: '',
      scaleReads: 'master',
      redisOptions: { ...redis.options.redisOptions, ...node },
      clusterRetryStrategy: delayMs,
    };
    return redis.duplicate([], options);
  }
  return redis.duplicate({ ...common, ...node, retryStrategy: delayMs });
}

function isCluster(redis: Redis | Cluster): redis is Cluster {
  return redis.isCluster;
}

/** Not all at the same time: a server that comes back is asked by all agents at once otherwise. */
function delayMs(attempt: number): number {
  const longest = Math.min(LAST_DELAY_MS, 25 * 2 ** Math.min(attempt, 10));
  return longest * (0.5 + Math.random() / 2);
}

/** Whether the server itself answered, with some code or with this one: then it is sure that nothing was done. */
function isReply(error: unknown, code = ''): error is Error {
  return error instanceof Error && error.name === 'ReplyError' && error.message.startsWith(code);
}

/** Of what Redis says only its first word, which is its code: the rest may quote what was asked. */
function asStoreError(error: unknown): RedisStoreError {
  if (!isReply(error))
    return new RedisStoreError('REDIS_UNREACHABLE', 'the connection to Redis was lost', true);
  const [code = ''] = /^[A-Z]{2,20}/.exec(error.message) ?? [];
  return new RedisStoreError('REDIS_REFUSED', `Redis refused with ${code === '' ? 'an error' : code}`);
}
