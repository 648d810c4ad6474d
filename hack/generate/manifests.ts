/** manifests/agent-trust.yaml: the chart rendered, for those who install without Helm. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTools } from '../control-plane/tools.ts';

const HEADER = `# Rendered from helm/agent-trust by \`npm run generate\`, for a cluster where Helm is not wanted. Do not edit.
# It serves the namespace ai-agents. For others render it anew with \`helm template\`: the list stands in flags,
# RoleBindings, webhooks and policies.
# Needs the namespaces agent-trust-system and ai-agents to exist.
`;

/** The one manifest, with the values that its header names. */
export async function manifests(root: string): Promise<ReadonlyMap<string, string>> {
  const { helm } = await ensureTools();
  const { stdout } = await promisify(execFile)(
    helm,
    [
      'template',
      'agent-trust',
      join(root, 'helm/agent-trust'),
      '--namespace=agent-trust-system',
      '--set=namespaces={ai-agents}',
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return new Map([['manifests/agent-trust.yaml', HEADER + stdout]]);
}
