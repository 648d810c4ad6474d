/** A lock between processes: a file that names its holder. The lock of a holder that is gone is taken over. */

import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, type ProcessIdentity, stillRuns } from './process-identity.ts';

/** A lock and what to tell while somebody else has it. */
export interface LockOptions {
  readonly path: string;
  /** Called again and again while waiting; `pid` is the holder. */
  readonly onWait?: (pid: number) => void;
}

/**
 * Runs something while no other process that asks for the same lock does.
 *
 * @throws what `work` throws, and what the file system refuses; the lock is released in either case.
 */
export async function withLock<T>({ path, onWait }: LockOptions, work: () => Promise<T>): Promise<T> {
  while (!tryAcquire(path)) {
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (stillRuns(holder)) {
      onWait?.(holder.pid);
      await sleep(500);
    } else {
      rmSync(path, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryAcquire(path: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    // a link appears with its content, so nobody ever reads half a lock
    linkSync(own, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(own);
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
