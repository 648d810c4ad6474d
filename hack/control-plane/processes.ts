/** Child processes that end with this one, whatever happens to it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to start. */
export interface ProcessOptions {
  /** Name for messages, for example `etcd`. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly workingDirectory: string;
  /** Standard output and error are appended to this file. */
  readonly logPath: string;
  /** Folder to remove when this process is gone without having ended the child; undefined: remove nothing. */
  readonly removeWhenOrphaned: string | undefined;
}

// The pipe on descriptor 3 tells two things apart: a line means "the child has ended, all is well", the bare end of
// the pipe means that this process died.
const WATCHDOG = `
directory=$1; shift
(
  cd / && read -r line <&3 && exit
  kill -KILL $$
  [ -z "$directory" ] || rm -rf -- "$directory" || { sleep 1; rm -rf -- "$directory"; }
) &
exec "$@" 3<&-`;

/** A running child process. */
export class RunningProcess {
  readonly name: string;
  readonly logPath: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor({ name, program, args, workingDirectory, logPath, removeWhenOrphaned }: ProcessOptions) {
    const log = openSync(logPath, 'a', 0o600);
    const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', removeWhenOrphaned ?? '', program, ...args], {
      cwd: workingDirectory,
      // own session: Ctrl-C in the terminal must not reach etcd before the API server
      detached: true,
      env: { PATH: process.env['PATH'] ?? '', HOME: workingDirectory },
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    if (child.pid === undefined) throw new Error(`${name} could not be started: /bin/sh cannot be run`);
    this.name = name;
    this.logPath = logPath;
    this.pid = child.pid;
    this.#child = child;
    this.#ended = endOf(child);
  }

  /** How it ended, for example `status 1` or `SIGKILL`; undefined while it runs. */
  get outcome(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (signalCode !== null) return signalCode;
    return exitCode === null ? undefined : `status ${exitCode}`;
  }

  /** Asks it to end (SIGTERM), and no longer asks after `graceMs` milliseconds (SIGKILL). */
  async end(graceMs = 2000): Promise<void> {
    this.#child.kill('SIGTERM');
    const abort = new AbortController();
    const grace = sleep(graceMs, undefined, { signal: abort.signal }).catch(() => undefined);
    await Promise.race([this.#ended, grace]);
    abort.abort();
    await this.kill();
  }

  /** Ends it at once (SIGKILL); resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Sends SIGKILL to it and its watchdog without waiting, for the last moment of this process. */
  killNow(): void {
    if (this.outcome !== undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // it has ended just now
    }
  }

  /** The last lines it wrote. */
  logTail(lines = 20): string {
    return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** Resolves when the child and its watchdog are gone. */
async function endOf(child: ChildProcess): Promise<void> {
  const watchdog = child.stdio[3] as Socket;
  const exited = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  watchdog.on('error', () => undefined).resume();
  watchdog.once('close', () => closed.resolve());
  child.once('exit', () => {
    watchdog.end('\n');
    exited.resolve();
  });
  await Promise.all([exited.promise, closed.promise]);
}
