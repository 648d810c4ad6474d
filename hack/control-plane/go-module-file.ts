/** Files of Go modules that are needed for what they say, not to be built: CustomResourceDefinitions of other projects. */

import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDirectory, ensureCached } from './build-cache.ts';
import { CommandError } from './command-error.ts';
import { requireGo } from './go-build.ts';

/** Which file. */
export interface GoModuleFile {
  /** What the folder below the cache is called. */
  readonly name: string;
  /** Folder with the go.mod and go.sum that name the version. */
  readonly folder: string;
  /** Path of the module, such as `istio.io/api`. */
  readonly module: string;
  /** Path of the file in it. */
  readonly file: string;
}

const DOWNLOAD_TIMEOUT_MS = 300_000;

/**
 * Fetches the file unless it is there already (Go needed). It lies in `${XDG_CACHE_HOME:-~/.cache}/agent-trust/NAME/HASH`.
 *
 * @returns its absolute path.
 * @throws CommandError `UNAVAILABLE` when Go is missing or too old, `FETCH_FAILED`.
 */
export async function ensureGoModuleFile(wanted: GoModuleFile): Promise<string> {
  const { name, folder, file } = wanted;
  const goMod = readFileSync(join(folder, 'go.mod'), 'utf8');
  const goSum = readFileSync(join(folder, 'go.sum'), 'utf8');
  const directory = cachedDirectory(name, [goMod, goSum]);
  await ensureCached({
    directory,
    progress: undefined,
    make: async ({ output }) => {
      const source = await download(requireGo(goMod), wanted);
      mkdirSync(output);
      copyFileSync(join(source, file), join(output, basename(file)));
    },
  });
  return join(directory, basename(file));
}

/** Folder of the module. */
async function download(program: string, { folder, module }: GoModuleFile): Promise<string> {
  const env = { ...process.env, GOWORK: 'off' };
  const options = { cwd: folder, env, timeout: DOWNLOAD_TIMEOUT_MS };
  try {
    const { stdout } = await promisify(execFile)(program, ['mod', 'download', '-json', module], options);
    return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
  } catch (error) {
    const [line = ''] = (error as { readonly stderr?: string }).stderr?.split('\n') ?? [];
    throw new CommandError('FETCH_FAILED', `${module} could not be fetched with go: ${line}`);
  }
}
