/** The files of an agent as its pod has them: the projected volume that admission gives it, written as a kubelet does. */

import { randomInt } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { BUNDLE_NAME } from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { CONFIG_MAP, SECRET } from '../../src/kube/core-types.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';

const FOLDERS = ['tls', 'signing', 'bundle'];
const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 100;

/** Writes `tls`, `signing` and `bundle` of an agent below `directory`, once the bundle has so many edges and all keys. */
export async function mountPod(
  { client }: Access,
  directory: string,
  { identity, edges }: { readonly identity: AgentIdentity; readonly edges: number },
): Promise<void> {
  const { name, namespace } = identity.metadata;
  const files = new Map<string, Buffer>();
  const addSecret = async (folder: string, secretName: string): Promise<void> => {
    const secret = await client.find<Secret>(SECRET, { namespace, name: secretName });
    for (const [key, base64] of Object.entries(secret?.data ?? {}))
      files.set(`${folder}/${key}`, Buffer.from(base64, 'base64'));
  };
  const isThere = async (): Promise<boolean> => {
    const bundle = await client.find<ConfigMap>(CONFIG_MAP, { namespace, name: BUNDLE_NAME });
    for (const [key, text] of Object.entries(bundle?.data ?? {}))
      files.set(`bundle/${key}`, Buffer.from(text));
    await addSecret('tls', `${name}-tls`);
    await addSecret('signing', `${name}-signing`);
    return (
      ['bundle/bundle.jws', 'tls/tls.crt', 'signing/signing.key'].every((file) => files.has(file)) &&
      isWhole(files, edges)
    );
  };
  if (!(await waitUntil(isThere, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS })))
    throw new Mismatch(`certificate, signing key and bundle of ${name}`, [...files.keys()].sort().join(', '));
  writeVolume(directory, files);
}

/** Every agent that an edge begins at has published a key. */
function isWhole(files: ReadonlyMap<string, Buffer>, count: number): boolean {
  const read = (file: string): unknown => JSON.parse(files.get(`bundle/${file}`)?.toString() ?? '{}');
  const { edges = [] } = read('policy.json') as { readonly edges?: readonly { readonly from: string }[] };
  const { issuers = {} } = read('jwks.json') as { readonly issuers?: Readonly<Record<string, object>> };
  return edges.length === count && edges.every(({ from }) => from in issuers);
}

/** Real files in a folder of their own, a link `..data` to it, and a link through that for each folder. */
function writeVolume(directory: string, files: ReadonlyMap<string, Buffer>): void {
  const folder = `..${Date.now()}.${randomInt(1_000_000_000)}`;
  for (const [path, content] of files) {
    const file = join(directory, folder, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode: 0o600 });
  }
  symlinkSync(folder, join(directory, '..data'));
  for (const each of FOLDERS) symlinkSync(join('..data', each), join(directory, each));
}
