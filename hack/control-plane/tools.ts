/** The Kubernetes programs that the demo, the tests and the benchmarks run: found, or built once and kept. */

import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CachedBuild, cachedDirectory, ensureCached } from './build-cache.ts';
import { CommandError } from './command-error.ts';
import { buildFlags, goBuild, requireGo } from './go-build.ts';
import type { Progress } from './progress.ts';
import { isExecutable } from './require-command.ts';

/** Absolute paths of the programs. */
export interface Tools {
  /** Folder that holds those of the programs that this project built; to be put into PATH. */
  readonly directory: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
  readonly helm: string;
}

/** How to report while building. */
export interface EnsureToolsOptions {
  /** Without it a build is silent. */
  readonly progress?: Progress;
}

const WHAT = 'etcd and Kubernetes, once, 5 to 10 min';
const MODULE = fileURLToPath(new URL('../tools', import.meta.url));
const ALL = ['kube-apiserver', 'kube-controller-manager', 'kubectl', 'etcd', 'helm'] as const;
const OF_KUBEBUILDER = ['kube-apiserver', 'kubectl', 'etcd'] as const;

/**
 * Finds the programs, and builds them from hack/tools when nobody has done so yet (5 to 10 minutes, Go needed).
 *
 * `KUBEBUILDER_ASSETS` names a folder with at least kube-apiserver, etcd and kubectl that are used instead;
 * `AGENT_TRUST_TOOLS` names a folder that this function returned before, and spares the search. What is built lies
 * in `${XDG_CACHE_HOME:-~/.cache}/agent-trust/tools/HASH`; builds that were not used for 30 days are removed.
 *
 * @throws CommandError `UNAVAILABLE` when Go is missing or too old, `BUILD_FAILED`, `ASSETS_INCOMPLETE`.
 */
export async function ensureTools({ progress }: EnsureToolsOptions = {}): Promise<Tools> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') {
    const missing = OF_KUBEBUILDER.filter((name) => !isExecutable(join(assets, name)));
    if (missing.length > 0) {
      throw new CommandError('ASSETS_INCOMPLETE', `KUBEBUILDER_ASSETS=${assets} lacks ${missing.join(', ')}`);
    }
    const complete = ALL.every((name) => isExecutable(join(assets, name)));
    return toolsIn(complete ? [assets] : [assets, await builtDirectory(progress)]);
  }
  return toolsIn([await builtDirectory(progress)]);
}

/** Why {@link ensureTools} would fail before it builds anything, one line; undefined when nothing stands in its way. */
export function toolsProblem(): string | undefined {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets && ALL.every((name) => isExecutable(join(assets, name)))) return undefined;
  if (process.env['AGENT_TRUST_TOOLS'] || existsSync(directoryOf(goModOfTools()))) return undefined;
  try {
    requireGo(goModOfTools());
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.message;
  }
}

/** Takes each program from the first folder that has it. */
function toolsIn(folders: readonly string[]): Tools {
  const find = (name: string): string => {
    const folder = folders.find((candidate) => isExecutable(join(candidate, name))) ?? folders.at(-1) ?? '';
    return join(folder, name);
  };
  return {
    directory: folders.at(-1) ?? '',
    kubeApiserver: find('kube-apiserver'),
    kubeControllerManager: find('kube-controller-manager'),
    kubectl: find('kubectl'),
    etcd: find('etcd'),
    helm: find('helm'),
  };
}

async function builtDirectory(progress: Progress | undefined): Promise<string> {
  const known = process.env['AGENT_TRUST_TOOLS'];
  if (known !== undefined && known !== '') return known;
  const goMod = goModOfTools();
  const directory = directoryOf(goMod);
  const make: CachedBuild['make'] = async ({ output, logPath }) => {
    const program = requireGo(goMod);
    const flags = buildFlags(goMod);
    await goBuild({
      program,
      module: MODULE,
      output,
      flags,
      packages: 'tool',
      what: WHAT,
      logPath,
      progress,
    });
    // go names a program after the last element of its package path
    renameSync(join(output, 'server'), join(output, 'etcd'));
  };
  await ensureCached({ directory, progress, make });
  return directory;
}

function goModOfTools(): string {
  return readFileSync(join(MODULE, 'go.mod'), 'utf8');
}

function directoryOf(goMod: string): string {
  const goSum = readFileSync(join(MODULE, 'go.sum'), 'utf8');
  return cachedDirectory('tools', [goMod, goSum, ...buildFlags(goMod)]);
}
