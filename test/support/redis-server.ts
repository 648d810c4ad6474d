/** Real Redis servers for tests: each in a folder of its own, and killed, restarted or stopped as a test needs it. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { removeDirectory } from '../../hack/control-plane/directory.ts';
import { endWithThisProcess } from '../../hack/control-plane/end-with-process.ts';
import { holdPort } from '../../hack/control-plane/ports.ts';
import { RunningProcess } from '../../hack/control-plane/processes.ts';
import { requireCommand } from '../../hack/control-plane/require-command.ts';
import { eventually } from './eventually.ts';

/** A server that keeps nothing on disk unless told otherwise. */
export const WITHOUT_FILES: readonly string[] = ['--save', ''];

/**
 * Starts a server. Has to be stopped.
 *
 * @param settings arguments of redis-server.
 * @throws CommandError `UNAVAILABLE` when redis-server is not installed, with the way to get it.
 */
export async function startRedisServer(settings: readonly string[] = WITHOUT_FILES): Promise<RedisServer> {
  const program = requireCommand('redis-server', 'apt-get install redis-server');
  const held = await holdPort();
  await held.release();
  const server = new RedisServer({ program, port: held.port, settings });
  await server.start();
  return server;
}

/** A server on the loopback interface. */
export class RedisServer {
  readonly port: number;
  /** An administrator's connection. */
  readonly admin: Redis;
  readonly #program: string;
  readonly #settings: readonly string[];
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'agent-trust-redis-'));
  readonly #forget: () => void;
  #process: RunningProcess | undefined;

  /** Use {@link startRedisServer}. */
  constructor(options: {
    readonly program: string;
    readonly port: number;
    readonly settings: readonly string[];
  }) {
    this.port = options.port;
    this.#program = options.program;
    this.#settings = options.settings;
    this.admin = new Redis(this.port, { retryStrategy: () => 20 }).on('error', () => {});
    this.#forget = endWithThisProcess({ stop: () => this.stop(), stopNow: () => this.#process?.killNow() });
  }

  /** A client to make stores from; it does not connect itself. */
  client(options: RedisOptions = {}): Redis {
    return new Redis({ port: this.port, ...options, lazyConnect: true });
  }

  /** Starts it, or starts it again with what it has on disk. */
  async start(): Promise<void> {
    const directory = this.#directory;
    this.#process = new RunningProcess({
      name: 'redis-server',
      program: this.#program,
      args: ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', directory, ...this.#settings],
      workingDirectory: directory,
      logPath: join(directory, 'redis.log'),
      removeWhenOrphaned: directory,
    });
    const process = this.#process;
    await eventually('redis-server to answer', async () => {
      if (process.outcome !== undefined) throw new Error(process.logTail());
      return (await this.admin.ping()) === 'PONG';
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** It keeps its connections and does nothing. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  /** After {@link pause}. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    this.#forget();
    this.admin.disconnect();
    await this.kill();
    removeDirectory(this.#directory);
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#process !== undefined && this.#process.outcome === undefined)
      process.kill(this.#process.pid, name);
  }
}
