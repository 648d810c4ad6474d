/** The Secrets of the agents as files, and what OpenSSL thinks of them. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { BUNDLE_NAME } from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { CONFIG_MAP, SECRET } from '../../src/kube/core-types.ts';
import type { Access } from './access.ts';
import { mountSecret } from './agent-files.ts';
import { verifyLeaves } from './openssl.ts';
import { AGENTS } from './swarm.ts';

const BUNDLE_FILE = 'ca.crt';

/** Writes the Secret of each agent below `directory`, and the trust bundle of their namespace beside them. */
export async function mountAgents(
  { client }: Access,
  directory: string,
  identities: readonly AgentIdentity[],
): Promise<void> {
  for (const { metadata, status } of identities) {
    const name = status?.certificate?.secretName ?? '';
    mountSecret(
      join(directory, metadata.name),
      await client.get<Secret>(SECRET, { namespace: AGENTS, name }),
    );
  }
  const bundle = await client.get<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME });
  writeFileSync(join(directory, BUNDLE_FILE), bundle.data?.['ca.crt'] ?? '');
}

/** @throws Mismatch when OpenSSL does not accept every leaf with the bundle alone. */
export function verifyAgents(directory: string, identities: readonly AgentIdentity[]): Promise<void> {
  const leaves = identities.map(({ metadata }) => join(directory, metadata.name, 'tls.crt'));
  return verifyLeaves(join(directory, BUNDLE_FILE), leaves);
}
