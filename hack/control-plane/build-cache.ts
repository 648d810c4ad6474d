/** The folder outside of the work tree where programs that were built or fetched once are kept. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';

/** Something to be made once. */
export interface CachedBuild {
  /** Its folder, as {@link cachedDirectory} names it. */
  readonly directory: string;
  readonly progress: Progress | undefined;
  /** Makes the content of `output`, which does not exist yet; may write a log. */
  readonly make: (place: { readonly output: string; readonly logPath: string }) => Promise<void>;
}

const UNUSED_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Names the folder of a build: `${XDG_CACHE_HOME:-~/.cache}/agent-trust/KIND/HASH`.
 *
 * @param parts all that decides what the build makes; platform and architecture are added.
 */
export function cachedDirectory(kind: string, parts: readonly string[]): string {
  const all = JSON.stringify([...parts, process.platform, process.arch]);
  const hash = createHash('sha256').update(all).digest('hex').slice(0, 16);
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'agent-trust', kind, hash);
}

/**
 * Makes what is not there yet, once however many processes ask for it. Builds of the same kind that were not used for
 * 30 days are removed.
 *
 * @throws what `make` throws; then nothing is kept.
 */
export async function ensureCached({ directory, progress, make }: CachedBuild): Promise<void> {
  if (!existsSync(directory)) {
    mkdirSync(dirname(directory), { recursive: true });
    const onWait = (pid: number): void =>
      progress?.update(`waiting for process ${pid}, which builds the same programs`);
    await withLock({ path: `${directory}.lock`, onWait }, async () => {
      if (existsSync(directory)) return;
      removeUnused(dirname(directory));
      const output = `${directory}.partial`;
      rmSync(output, { recursive: true, force: true });
      const startedAtMs = performance.now();
      await make({ output, logPath: `${directory}.log` });
      renameSync(output, directory);
      progress?.done(`built in ${Math.round((performance.now() - startedAtMs) / 1000)} s: ${directory}`);
    });
  }
  const now = new Date();
  utimesSync(directory, now, now);
}

function removeUnused(cache: string): void {
  for (const entry of readdirSync(cache)) {
    const path = join(cache, entry);
    const usedAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - usedAtMs > UNUSED_MS) rmSync(path, { recursive: true, force: true });
  }
}
