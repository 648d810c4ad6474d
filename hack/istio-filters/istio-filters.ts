/** The Go program beside this file, which answers with Istio's own code: built once and kept. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDirectory, ensureCached } from '../control-plane/build-cache.ts';
import { goBuild, requireGo } from '../control-plane/go-build.ts';
import type { EnsureToolsOptions } from '../control-plane/tools.ts';

const MODULE = fileURLToPath(new URL('.', import.meta.url));
const FLAGS = ['-trimpath', '-ldflags', '-s -w'];

/**
 * Builds istio-filters unless it is there already (2 to 4 minutes, Go needed). It lies in
 * `${XDG_CACHE_HOME:-~/.cache}/agent-trust/istio-filters/HASH`.
 *
 * @returns the absolute path of the program.
 * @throws CommandError `UNAVAILABLE` when Go is missing or too old, `BUILD_FAILED`.
 */
export async function ensureIstioFilters({ progress }: EnsureToolsOptions = {}): Promise<string> {
  const sources = readdirSync(MODULE).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name));
  const contents = sources.sort().map((name) => readFileSync(join(MODULE, name), 'utf8'));
  const directory = cachedDirectory('istio-filters', [...contents, ...FLAGS]);
  await ensureCached({
    directory,
    progress,
    make: ({ output, logPath }) =>
      goBuild({
        program: requireGo(readFileSync(join(MODULE, 'go.mod'), 'utf8')),
        module: MODULE,
        packages: '.',
        output,
        flags: FLAGS,
        what: "Istio's policy builder, once, 2 to 4 min",
        logPath,
        progress,
      }),
  });
  return join(directory, 'istio-filters');
}
