/** The files of an agent as its pod has them: the projected volume that admission gives it. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { BUNDLE_NAME } from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { type AgentFileSet, mountFiles } from '../../src/dev/folder.ts';
import { CONFIG_MAP, SECRET } from '../../src/kube/core-types.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';

const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 100;
const NEEDED = ['bundle/bundle.jws', 'tls/tls.crt', 'signing/signing.key'];

/** What a bundle has when everything is in it. */
export interface BundleCounts {
  /** Each has published a key. */
  readonly agents: number;
  readonly edges: number;
}

/** Writes `tls`, `signing` and `bundle` of an agent below `directory`, once the bundle is whole. */
export async function mountPod(
  access: Access,
  directory: string,
  { identity, counts }: { readonly identity: AgentIdentity; readonly counts: BundleCounts },
): Promise<void> {
  let files: AgentFileSet = new Map();
  const isThere = async (): Promise<boolean> => {
    files = await podFiles(access, identity);
    return NEEDED.every((file) => files.has(file)) && isWhole(files, counts);
  };
  if (!(await waitUntil(isThere, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS })))
    throw new Mismatch(
      `certificate and signing key of ${identity.metadata.name}, ${described(counts)}`,
      `${[...files.keys()].sort().join(', ')}; ${described(countsOf(files))}`,
    );
  mountFiles(directory, files);
}

/** What the volume of an agent's pod holds at this moment. */
export async function podFiles(
  { client }: Pick<Access, 'client'>,
  { metadata: { name, namespace } }: AgentIdentity,
): Promise<AgentFileSet> {
  const bundle = await client.find<ConfigMap>(CONFIG_MAP, { namespace, name: BUNDLE_NAME });
  const tls = await client.find<Secret>(SECRET, { namespace, name: `${name}-tls` });
  const signing = await client.find<Secret>(SECRET, { namespace, name: `${name}-signing` });
  return new Map([...bundleFiles(bundle), ...secretFiles('tls', tls), ...secretFiles('signing', signing)]);
}

/** What a Secret gives to a folder of the volume. */
export function secretFiles(folder: string, secret: Secret | undefined): AgentFileSet {
  const entries = Object.entries(secret?.data ?? {});
  const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString();
  return new Map(
    entries.map(([key, base64]) => [`${folder}/${key}`, { text: textOf(base64), isPrivate: true }]),
  );
}

function bundleFiles(bundle: ConfigMap | undefined): AgentFileSet {
  const entries = Object.entries(bundle?.data ?? {});
  return new Map(entries.map(([key, text]) => [`bundle/${key}`, { text, isPrivate: false }]));
}

function isWhole(files: AgentFileSet, { agents, edges }: BundleCounts): boolean {
  const found = countsOf(files);
  return found.agents === agents && found.edges === edges;
}

function countsOf(files: AgentFileSet): BundleCounts {
  const read = (file: string): unknown => JSON.parse(files.get(`bundle/${file}`)?.text ?? '{}');
  const { edges = [] } = read('policy.json') as { readonly edges?: readonly object[] };
  const { issuers = {} } = read('jwks.json') as { readonly issuers?: Readonly<Record<string, object>> };
  return { agents: Object.keys(issuers).length, edges: edges.length };
}

function described({ agents, edges }: BundleCounts): string {
  return `keys of ${agents} agents and ${edges} edges in the bundle`;
}
