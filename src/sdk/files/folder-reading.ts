/**
 * A consistent reading of the folder that a pod mounts. The kubelet writes all files into a new folder and then lets the link
 * `..data` lead there, so that link is followed once for a reading; what changed while it was read is read again.
 *
 * Source: Kubernetes, pkg/volume/util/atomic_writer.go.
 */

import { type BigIntStats, constants } from 'node:fs';
import { open, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PEM_LIMIT_BYTES } from '../../crypto/pem.ts';
import { BUNDLE_SIGNATURE_LIMITS } from '../../domain/bundle/claims.ts';
import { KEY_FILE_LIMIT } from '../../domain/signing/key-files.ts';
import { FILE_LIMIT_LENGTH } from '../../domain/token/state/policy-file.ts';
import { type FileProblem, fileProblem } from './file-problem.ts';

/** Contents by path below the folder, or why there are none. */
export type FolderFiles = ReadonlyMap<string, Buffer | FileProblem>;

/** All files of one moment. */
export interface FolderReading {
  readonly kind: 'reading';
  /** Tells readings apart: equal ones have seen the same files. */
  readonly version: string;
  readonly files: FolderFiles;
}

/** Where the files of one moment lie. */
interface Snapshot {
  readonly version: string;
  readonly base: string;
  readonly paths: readonly string[];
}

const DATA_LINK = '..data';
/** A name that the kubelet gives, never a path that leads elsewhere. */
const DATA_TARGET = /^\.\.[A-Za-z0-9_.-]+$/;
/** Folders in it. */
export const SUBFOLDERS = ['tls', 'signing', 'bundle'] as const;
const MAX_ATTEMPTS = 20;
/** Files of the bundle, its signature, and what somebody has put beside them. */
const MAX_FILES = 2 * BUNDLE_SIGNATURE_LIMITS.files;

/** Sizes beyond which a file is not read, in bytes. */
const LIMIT_BYTES: Readonly<Record<string, number>> = {
  'tls/tls.crt': PEM_LIMIT_BYTES.chain,
  'tls/tls.key': PEM_LIMIT_BYTES.privateKey,
  'tls/ca.crt': PEM_LIMIT_BYTES.bundle,
  'signing/signing-keys.json': KEY_FILE_LIMIT,
  'bundle/bundle.jws': BUNDLE_SIGNATURE_LIMITS.characters,
};

/**
 * Reads the folder.
 *
 * @param knownVersion Of a reading before.
 * @returns The reading; `unchanged` when nothing was written since; or why the folder is not read. Errors: none.
 */
export async function readFolder(
  dir: string,
  knownVersion?: string,
): Promise<FolderReading | FileProblem | { readonly kind: 'unchanged' }> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = await snapshotOf(dir);
    if (before.kind === 'problem') return before;
    if (before.version === knownVersion) return { kind: 'unchanged' };
    const entries = before.paths.map(async (path) => [path, await readOne(before.base, path)] as const);
    const files = new Map(await Promise.all(entries));
    const after = await snapshotOf(dir);
    if (after.kind !== 'problem' && after.version === before.version)
      return { kind: 'reading', version: before.version, files };
  }
  return fileProblem('folder_changing', '', 'The folder changes faster than it can be read.');
}

/** One of the files, or why there is none. */
export function fileOf(files: FolderFiles, path: string): Buffer | FileProblem {
  return files.get(path) ?? fileProblem('file_missing', path, `${path} is not in the folder.`);
}

async function snapshotOf(dir: string): Promise<(Snapshot & { readonly kind: 'snapshot' }) | FileProblem> {
  try {
    const target = await targetOf(dir);
    const base = target === undefined ? dir : join(dir, target);
    if (target === undefined) await stat(dir);
    const paths = (await Promise.all(SUBFOLDERS.map((name) => listFiles(base, name)))).flat();
    // What lies below the link is never written again; elsewhere only the files themselves tell.
    const version = target ?? (await Promise.all(paths.map((path) => stampOf(join(base, path))))).join();
    return { kind: 'snapshot', version, base, paths };
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? fileProblem('folder_missing', '', `There is no folder ${dir}.`)
      : fileProblem('folder_unreadable', '', `The folder ${dir} cannot be read (${codeOf(error)}).`);
  }
}

/** Undefined when this is no volume of a kubelet. */
async function targetOf(dir: string): Promise<string | undefined> {
  try {
    const target = await readlink(join(dir, DATA_LINK));
    return DATA_TARGET.test(target) ? target : undefined;
  } catch {
    return undefined;
  }
}

async function listFiles(base: string, name: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(base, name));
    return entries
      .sort()
      .slice(0, MAX_FILES)
      .map((entry) => `${name}/${entry}`);
  } catch {
    return []; // then its files are missing, which is said of each
  }
}

async function stampOf(path: string): Promise<string> {
  const { ino, mtimeNs, ctimeNs, size }: Partial<BigIntStats> = await stat(path, { bigint: true }).catch(
    () => ({}),
  );
  return [path, ino, mtimeNs, ctimeNs, size].join(' ');
}

async function readOne(base: string, path: string): Promise<Buffer | FileProblem> {
  const limitBytes = LIMIT_BYTES[path] ?? FILE_LIMIT_LENGTH;
  try {
    // Without O_NONBLOCK a named pipe would hold a thread for ever.
    const file = await open(join(base, path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > limitBytes)
        return fileProblem('file_too_large', path, `${path} has more than ${limitBytes} bytes.`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    return fileProblem('file_unreadable', path, `${path} cannot be read (${codeOf(error)}).`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
