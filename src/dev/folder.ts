/**
 * Folders with the files of agents, laid out and changed as a kubelet does it: real files in a folder named after the time, a
 * link `..data` to it, and links through `..data`, so that all files change at one instant.
 */

import { randomInt } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of such a folder. */
export interface AgentFile {
  readonly text: string;
  /** Nobody else may read it. */
  readonly isPrivate: boolean;
}

/** Files by path, `tls/tls.crt` for example. */
export type AgentFileSet = ReadonlyMap<string, AgentFile>;

const DATA = '..data';
const GENERATION = /^\.\.[0-9]{4}_/;

/**
 * Makes the folder hold these files and no others; nothing is touched when it does already.
 *
 * @returns Whether it changed.
 * @throws What the file system reports; the files are then all old or all new.
 */
export function mountFiles(directory: string, files: AgentFileSet): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (holds(directory, files)) return false;
  const generation = `..${timestamp(new Date())}.${randomInt(1_000_000_000)}`;
  for (const [path, { text, isPrivate }] of files) {
    const file = join(directory, generation, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: isPrivate ? 0o600 : 0o644 });
  }
  const swap = join(directory, `${DATA}_tmp`);
  rmSync(swap, { force: true });
  symlinkSync(generation, swap);
  renameSync(swap, join(directory, DATA));
  linkFolders(directory, new Set([...files.keys()].map((path) => path.split('/')[0] ?? '')));
  for (const name of readdirSync(directory))
    if (GENERATION.test(name) && name !== generation)
      rmSync(join(directory, name), { recursive: true, force: true });
  return true;
}

function holds(directory: string, files: AgentFileSet): boolean {
  try {
    const root = join(directory, readlinkSync(join(directory, DATA)));
    const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return (
      names.length === files.size &&
      [...files].every(([path, { text }]) => readFileSync(join(root, path), 'utf8') === text)
    );
  } catch {
    return false; // it is not there, or somebody has put something else in its place
  }
}

function linkFolders(directory: string, wanted: ReadonlySet<string>): void {
  for (const name of wanted) {
    const link = join(directory, name);
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) continue;
    rmSync(link, { recursive: true, force: true });
    symlinkSync(join(DATA, name), link);
  }
  for (const name of readdirSync(directory))
    if (!name.startsWith('..') && !wanted.has(name)) rmSync(join(directory, name), { recursive: true });
}

/** `2006_01_02_15_04_05`, as the kubelet writes it. */
function timestamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace(/[-T:]/g, '_');
}
