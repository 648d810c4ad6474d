/** Istio's CustomResourceDefinitions, from the Go module that the program beside this file is built with. */

import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedDirectory, ensureCached } from '../control-plane/build-cache.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { requireGo } from '../control-plane/go-build.ts';

const MODULE = fileURLToPath(new URL('.', import.meta.url));
const FILE = 'customresourcedefinitions.gen.yaml';
const DOWNLOAD_TIMEOUT_MS = 300_000;

/**
 * Fetches the definitions unless they are there already (Go needed). They lie in
 * `${XDG_CACHE_HOME:-~/.cache}/agent-trust/istio-crds/HASH`.
 *
 * @returns the absolute path of a file of YAML documents.
 * @throws CommandError `UNAVAILABLE` when Go is missing or too old, `FETCH_FAILED`.
 */
export async function ensureIstioCrds(): Promise<string> {
  const goMod = readFileSync(join(MODULE, 'go.mod'), 'utf8');
  const goSum = readFileSync(join(MODULE, 'go.sum'), 'utf8');
  const directory = cachedDirectory('istio-crds', [goMod, goSum]);
  await ensureCached({
    directory,
    progress: undefined,
    make: async ({ output }) => {
      const source = await download(requireGo(goMod));
      mkdirSync(output);
      copyFileSync(join(source, 'kubernetes', FILE), join(output, FILE));
    },
  });
  return join(directory, FILE);
}

/** Folder of the module istio.io/api. */
async function download(program: string): Promise<string> {
  const env = { ...process.env, GOWORK: 'off' };
  const options = { cwd: MODULE, env, timeout: DOWNLOAD_TIMEOUT_MS };
  try {
    const { stdout } = await promisify(execFile)(
      program,
      ['mod', 'download', '-json', 'istio.io/api'],
      options,
    );
    return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
  } catch (error) {
    const [line = ''] = (error as { readonly stderr?: string }).stderr?.split('\n') ?? [];
    throw new CommandError('FETCH_FAILED', `Istio's definitions could not be fetched with go: ${line}`);
  }
}
