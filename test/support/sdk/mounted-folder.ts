/** Writes folders as pods have them: as a kubelet does it, by one swap for all files, or file by file. */

import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Contents by path below the folder: `tls/tls.crt`. */
export type FolderFiles = Readonly<Record<string, string | Uint8Array>>;

const DATA = '..data';

/**
 * Replaces all files at once, in the steps of the kubelet (pkg/volume/util/atomic_writer.go): a new folder, `..data_tmp`
 * that leads there, a rename over `..data`, and only then the old folder goes. Without delay, so a reader meets every state.
 */
export function swapFolder(dir: string, files: FolderFiles): void {
  const target = `..2026_11_20_10_00_00.${randomBytes(6).toString('hex')}`;
  writeFiles(join(dir, target), files);
  const before = currentTarget(dir);
  symlinkSync(target, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, DATA));
  for (const name of new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))) {
    if (!readdirSync(dir).includes(name)) symlinkSync(join(DATA, name), join(dir, name));
  }
  if (before !== undefined) rmSync(join(dir, before), { recursive: true });
}

/** Writes files one after the other, as anything but a kubelet does. */
export function writeFiles(dir: string, files: FolderFiles): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

function currentTarget(dir: string): string | undefined {
  mkdirSync(dir, { recursive: true });
  return readdirSync(dir).includes(DATA) ? readlinkSync(join(dir, DATA)) : undefined;
}
