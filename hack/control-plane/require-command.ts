/** Programs that this machine must have and npm cannot install. */

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unavailable } from './command-error.ts';

/**
 * Finds a program in PATH.
 *
 * @param name file name of the program, for example `openssl`.
 * @param wayToGetIt what to do when it is missing, for example `apt-get install openssl`.
 * @returns the absolute path of the program.
 * @throws CommandError `UNAVAILABLE` (exit status 69), one line that ends with `wayToGetIt`.
 */
export function requireCommand(name: string, wayToGetIt: string): string {
  const path = findCommand(name);
  if (path === undefined) throw unavailable(`${name} is needed and not installed: ${wayToGetIt}`);
  return path;
}

/** Absolute path of a program in PATH, or undefined. */
export function findCommand(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Whether a path is a file that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
