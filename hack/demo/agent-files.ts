/** What an agent needs for mutual TLS, read from its files, and the names that its peers show. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What TLS needs, under the names of Node's options. */
export interface AgentFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Reads the folder `tls` of an agent. */
export function readAgentFiles(directory: string): AgentFiles {
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return { cert: read('tls.crt'), key: read('tls.key'), ca: read('ca.crt') };
}

/** The SPIFFE IDs among the subject alternative names, as Node writes them; a good certificate has exactly one. */
export function spiffeIdsOf(subjectAltName = ''): readonly string[] {
  const names = subjectAltName.split(', ').filter((name) => name.startsWith('URI:spiffe://'));
  return names.map((name) => name.slice('URI:'.length));
}
