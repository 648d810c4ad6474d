/** An agent's files as its pod has them: the layout in which a kubelet mounts a Secret. */

import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Secret } from '../../src/controllers/identity/secret.ts';

/**
 * Writes every key of the Secret below `directory`, which is made: real files in a folder named after the time, a
 * link `..data` to it, and a link for each file through `..data`, so that an update swaps all files at once.
 */
export function mountSecret(directory: string, { data = {} }: Secret): void {
  const folder = `..${timestamp(new Date())}.${randomInt(1_000_000_000)}`;
  mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
  for (const [name, base64] of Object.entries(data)) {
    writeFileSync(join(directory, folder, name), Buffer.from(base64, 'base64'), { mode: 0o600 });
  }
  symlinkSync(folder, join(directory, '..data'));
  for (const name of Object.keys(data)) symlinkSync(join('..data', name), join(directory, name));
}

/** What TLS needs, under the names of Node's options; each read through its link. */
export interface AgentFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Reads the files of a mounted Secret. */
export function readAgentFiles(directory: string): AgentFiles {
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return { cert: read('tls.crt'), key: read('tls.key'), ca: read('ca.crt') };
}

/** The SPIFFE IDs among the subject alternative names, as Node writes them; a good certificate has exactly one. */
export function spiffeIdsOf(subjectAltName = ''): readonly string[] {
  const names = subjectAltName.split(', ').filter((name) => name.startsWith('URI:spiffe://'));
  return names.map((name) => name.slice('URI:'.length));
}

/** `2006_01_02_15_04_05`, as the kubelet writes it. */
function timestamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace(/[-T:]/g, '_');
}
