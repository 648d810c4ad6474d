/** What compiled modules need: the files that are reached from some of them, and the packages that these import. */

import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { importsOf } from '../layers/imports.ts';

/** What was reached. */
export interface Reach {
  /** Relative to the folder, sorted; those that it began with among them. */
  readonly files: readonly string[];
  /** Names of packages, sorted. */
  readonly packages: readonly string[];
}

/**
 * Follows the imports of compiled modules.
 *
 * @param folder that tsc wrote into.
 * @param entries files to begin with, relative to it: all of them `.js`, to follow what runs, or all `.d.ts`, to follow types.
 * @throws Error for an import that only running it would tell, and when a file is not there.
 */
export function reachOf(folder: string, entries: readonly string[]): Reach {
  const files = new Set(entries);
  const packages = new Set<string>();
  // a set is walked to what is added meanwhile
  for (const file of files) {
    const extension = file.endsWith('.d.ts') ? '.d.ts' : '.js';
    for (const { specifier, line } of importsOf(readFileSync(resolve(folder, file), 'utf8'))) {
      if (specifier === undefined) throw new Error(`${file}:${line}: this import is computed`);
      if (specifier.startsWith('.')) {
        const target = resolve(folder, dirname(file), specifier.replace(/\.[jt]s$/, extension));
        files.add(relative(folder, target));
      } else if (!isBuiltin(specifier)) packages.add(packageOf(specifier));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
