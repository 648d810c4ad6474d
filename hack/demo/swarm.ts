/** examples/swarm, which the demo applies. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { AGENT_IDENTITY } from '../../src/api/group.ts';

/** The folder. */
export const SWARM: string = join(import.meta.dirname, '../../examples/swarm');

/** Its namespace. */
export const AGENTS = 'ai-agents';

/** Names of its AgentIdentities, in the order of the file. */
export function agentNames(): readonly string[] {
  const documents = parseAllDocuments(readFileSync(join(SWARM, 'agents.yaml'), 'utf8'));
  const objects = documents.map(
    (document) => document.toJS() as { kind: string; metadata: { name: string } },
  );
  return objects.filter(({ kind }) => kind === AGENT_IDENTITY.kind).map(({ metadata }) => metadata.name);
}
