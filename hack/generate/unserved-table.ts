/** The table of fields that nothing serves yet, in the page of the kind. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { UNSERVED } from '../../src/domain/identity/unserved.ts';
import { betweenMarkers } from './between-markers.ts';

/** The part of an OpenAPI v3 schema that is read here. */
interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const CRD = 'crds/agentidentities.yaml';
const PATH = 'docs/kinds/agentidentity.md';

/** docs/kinds/agentidentity.md with its table of fields as the code has it. */
export async function unservedTable(root: string): Promise<ReadonlyMap<string, string>> {
  const crd = parse(await readFile(join(root, CRD), 'utf8')) as {
    spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] };
  };
  const spec = crd.spec.versions[0].schema.openAPIV3Schema.properties?.['spec'];
  const rows = UNSERVED.map(({ path, meansAbsent }) => {
    const taken = meansAbsent.map((value) => ` or \`${value}\``).join('');
    return `| \`spec.${path}\` | ${descriptionAt(spec, path)} | absent${taken} |`;
  });
  const table = ['| field | what it will be | accepted today |', '|---|---|---|', ...rows].join('\n');
  const page = await readFile(join(root, PATH), 'utf8');
  return new Map([[PATH, betweenMarkers(page, 'unserved', table)]]);
}

function descriptionAt(spec: Schema | undefined, path: string): string {
  const schema = path.split('.').reduce((at, step) => at?.properties?.[step], spec);
  if (schema?.description === undefined) throw new Error(`${CRD}: spec.${path} has no description`);
  // angle brackets would be taken for HTML
  return schema.description.replaceAll('<', '&lt;');
}
