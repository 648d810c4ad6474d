/** The checks of this repository: what `npm run check` runs, and the suite once more. */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCommand } from './control-plane/require-command.ts';

/** A program whose exit status 0 says that all is well. */
export interface Check {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Why it cannot run here; undefined when it can. */
  readonly skipReason?: string | undefined;
}

/** How a check ended. */
export interface CheckResult {
  readonly passed: boolean;
  readonly seconds: number;
  /** All that the program printed. */
  readonly output: string;
}

/** Folder of the repository. */
export const ROOT: string = fileURLToPath(new URL('..', import.meta.url));

const SHELLCHECK = findCommand('shellcheck');

/** All checks; none depends on another. */
export const CHECKS: readonly Check[] = [
  onNode('types', 'node_modules/typescript/bin/tsc', '--noEmit'),
  onNode('lint', 'node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off'),
  onNode('layers', 'hack/check-layers.ts'),
  {
    ...onNode('generated files', 'hack/generate.ts', '--check'),
    skipReason: existsSync(join(ROOT, 'hack/generate.ts')) ? undefined : 'hack/generate.ts does not exist',
  },
  onNode('dead code', 'node_modules/knip/bin/knip.js', '--no-progress'),
  {
    name: 'shell scripts',
    program: SHELLCHECK ?? 'shellcheck',
    args: shellScripts(),
    skipReason: SHELLCHECK === undefined ? 'shellcheck is not installed' : undefined,
  },
];

/** Runs a check in the folder of the repository. */
export function runCheck({ program, args }: Check): Promise<CheckResult> {
  const { promise, resolve } = Promise.withResolvers<CheckResult>();
  const startedAtMs = performance.now();
  const options = { cwd: ROOT, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1' } };
  execFile(program, args, options, (error, stdout, stderr) => {
    const seconds = (performance.now() - startedAtMs) / 1000;
    const cause = error !== null && stdout + stderr === '' ? `${error.message}\n` : '';
    resolve({ passed: error === null, seconds, output: `${stdout}${stderr}${cause}` });
  });
  return promise;
}

function onNode(name: string, ...args: readonly string[]): Check {
  return { name, program: process.execPath, args };
}

/** Shell scripts of the repository, relative to its folder. */
function shellScripts(): string[] {
  const skipped = new Set(['node_modules', '.git', 'dist', 'coverage']);
  const search = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : search(path);
      return entry.name.endsWith('.sh') ? [path] : [];
    });
  const scripts = [...search(ROOT), join(ROOT, '.ci/run')].filter((path) => existsSync(path));
  return scripts.map((path) => relative(ROOT, path).split(sep).join('/'));
}
