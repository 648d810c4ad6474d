/** The Kubernetes programs that the demo, the tests and the benchmarks run: found, or built once and kept. */

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from './command-error.ts';
import { buildFlags, goBuild, requireGo } from './go-build.ts';
import { withLock } from './lock.ts';
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

const MODULE = fileURLToPath(new URL('../tools', import.meta.url));
const ALL = ['kube-apiserver', 'kube-controller-manager', 'kubectl', 'etcd', 'helm'] as const;
const OF_KUBEBUILDER = ['kube-apiserver', 'kubectl', 'etcd'] as const;
const UNUSED_MS = 30 * 24 * 60 * 60 * 1000;

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
  if (process.env['AGENT_TRUST_TOOLS'] || existsSync(join(cacheDirectory(), contentHash()))) return undefined;
  try {
    requireGo(readFileSync(join(MODULE, 'go.mod'), 'utf8'));
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
  const directory = join(cacheDirectory(), contentHash());
  if (!existsSync(directory)) await build(directory, progress);
  const now = new Date();
  utimesSync(directory, now, now);
  return directory;
}

async function build(directory: string, progress: Progress | undefined): Promise<void> {
  const program = requireGo(readFileSync(join(MODULE, 'go.mod'), 'utf8'));
  mkdirSync(dirname(directory), { recursive: true });
  const onWait = (pid: number): void =>
    progress?.update(`waiting for process ${pid}, which builds the same programs`);
  await withLock({ path: `${directory}.lock`, onWait }, async () => {
    if (existsSync(directory)) return;
    removeUnused(dirname(directory));
    const output = `${directory}.partial`;
    rmSync(output, { recursive: true, force: true });
    const startedAtMs = performance.now();
    await goBuild({ program, module: MODULE, output, logPath: `${directory}.log`, progress });
    renameSync(output, directory);
    progress?.done(`built in ${Math.round((performance.now() - startedAtMs) / 1000)} s: ${directory}`);
  });
}

function removeUnused(cache: string): void {
  for (const entry of readdirSync(cache)) {
    const path = join(cache, entry);
    const usedAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - usedAtMs > UNUSED_MS) rmSync(path, { recursive: true, force: true });
  }
}

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'agent-trust', 'tools');
}

function contentHash(): string {
  const goMod = readFileSync(join(MODULE, 'go.mod'), 'utf8');
  const goSum = readFileSync(join(MODULE, 'go.sum'), 'utf8');
  const parts = [goMod, goSum, ...buildFlags(goMod), process.platform, process.arch];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
