/**
 * Writes every generated file of the repository, or with --check says which are stale.
 *
 * usage: npm run generate [-- --check]
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { admissionTable } from './generate/admission-table.ts';
import { alertsPage } from './generate/alerts-page.ts';
import { authorityInput } from './generate/authority-input.ts';
import { chartCrds } from './generate/chart-crds.ts';
import { crdTypes } from './generate/crd-types.ts';
import { errorsTable } from './generate/errors-table.ts';
import { flagsPage } from './generate/flags-page.ts';
import { issuerInputPage } from './generate/issuer-input.ts';
import { layersInArchitecture } from './generate/layers-table.ts';
import { manifests } from './generate/manifests.ts';
import { metricsTable } from './generate/metrics-table.ts';
import { reasonsTable } from './generate/reasons-table.ts';
import { sdkErrorsTable } from './generate/sdk-errors-table.ts';
import { unservedTable } from './generate/unserved-table.ts';
import { valuesPage } from './generate/values-page.ts';

/** Path below the repository's root, and the whole content. */
export type Outputs = ReadonlyMap<string, string>;

const ROOT = join(import.meta.dirname, '..');
// manifests come last: they are rendered from the chart that the steps before may have changed.
const STEPS: readonly ((root: string) => Promise<Outputs>)[] = [
  crdTypes,
  chartCrds,
  layersInArchitecture,
  reasonsTable,
  errorsTable,
  sdkErrorsTable,
  metricsTable,
  flagsPage,
  valuesPage,
  alertsPage,
  unservedTable,
  issuerInputPage,
  admissionTable,
  authorityInput,
  manifests,
];

async function main(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const stale: string[] = [];
  for (const step of STEPS) {
    for (const [path, content] of await step(ROOT)) {
      const absolute = join(ROOT, path);
      const current = await readFile(absolute, 'utf8').catch(() => undefined);
      if (current === content) continue;
      stale.push(path);
      if (check) continue;
      await mkdir(dirname(absolute), { recursive: true });
      await writeFile(absolute, content);
    }
  }
  if (!check) for (const path of stale) console.log(`wrote ${path}`);
  else for (const path of stale) console.error(`${path} is stale: run npm run generate`);
  return check && stale.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
