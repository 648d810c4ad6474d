/** The chart's copy of the CRDs: Helm cannot read files outside a chart. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every `crds/*.yaml`, as it is, below `helm/agent-trust/files/crds/`. */
export async function chartCrds(root: string): Promise<ReadonlyMap<string, string>> {
  const outputs = new Map<string, string>();
  for (const file of (await readdir(join(root, 'crds'))).sort()) {
    if (!file.endsWith('.yaml')) continue;
    outputs.set(`helm/agent-trust/files/crds/${file}`, await readFile(join(root, 'crds', file), 'utf8'));
  }
  return outputs;
}
