/** A Go program whose module lies in a folder of hack/: built once and kept. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cachedDirectory, ensureCached } from './build-cache.ts';
import { goBuild, requireGo } from './go-build.ts';
import type { EnsureToolsOptions } from './tools.ts';

/** Which program. */
export interface GoProgram extends EnsureToolsOptions {
  /** Folder of its module, named like the program. */
  readonly module: string;
  /** What is built, in words, for the progress. */
  readonly what: string;
}

const FLAGS = ['-trimpath', '-ldflags', '-s -w'];

/**
 * Builds it unless it is there already, in `${XDG_CACHE_HOME:-~/.cache}/agent-trust/NAME/HASH`.
 *
 * @returns the absolute path of the program.
 * @throws CommandError `UNAVAILABLE` when Go is missing or too old, `BUILD_FAILED`.
 */
export async function ensureGoProgram({ module, what, progress }: GoProgram): Promise<string> {
  const name = basename(module);
  const sources = readdirSync(module).filter((file) => /\.go$|^go\.(mod|sum)$/.test(file));
  const contents = sources.sort().map((file) => readFileSync(join(module, file), 'utf8'));
  const directory = cachedDirectory(name, [...contents, ...FLAGS]);
  await ensureCached({
    directory,
    progress,
    make: ({ output, logPath }) =>
      goBuild({
        program: requireGo(readFileSync(join(module, 'go.mod'), 'utf8')),
        packages: '.',
        flags: FLAGS,
        ...{ module, output, what, logPath, progress },
      }),
  });
  return join(directory, name);
}
