/** TypeScript types of what people write and what the operator reports, from the CRD schemas. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { parse } from 'yaml';

/** The part of an OpenAPI v3 schema that this generator reads and rewrites. */
interface Schema {
  title?: string;
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  pattern?: string;
  [extension: `x-kubernetes-${string}`]: unknown;
}

interface CustomResourceDefinition {
  spec: {
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

const BANNER = '/** Generated from crds/ by `npm run generate`. Do not edit. */\n';

/** One file a kind, `src/api/generated/<plural>.ts`, with the types `<Kind>Spec` and `<Kind>Status`. */
export async function crdTypes(root: string): Promise<ReadonlyMap<string, string>> {
  const outputs = new Map<string, string>();
  for (const file of (await readdir(join(root, 'crds'))).sort()) {
    if (!file.endsWith('.yaml')) continue;
    const crd = parse(await readFile(join(root, 'crds', file), 'utf8')) as CustomResourceDefinition;
    outputs.set(`src/api/generated/${file.replace(/\.yaml$/, '.ts')}`, await typesOf(crd));
  }
  return outputs;
}

async function typesOf({ spec }: CustomResourceDefinition): Promise<string> {
  const { kind } = spec.names;
  const schema = spec.versions[0]?.schema.openAPIV3Schema;
  const parts: string[] = [BANNER];
  for (const part of ['Spec', 'Status'] as const) {
    const of = schema?.properties?.[part.toLowerCase()];
    if (of === undefined) throw new Error(`${kind} has no ${part.toLowerCase()}`);
    parts.push(
      await compile(adapt(of, `${kind}${part}`) as JSONSchema, `${kind}${part}`, {
        bannerComment: '',
        additionalProperties: false,
        ignoreMinAndMaxItems: true,
        format: true,
        style: { singleQuote: true, printWidth: 110 },
      }),
    );
  }
  return parts.join('\n');
}

/** Names every nested object, and drops what would change a type: defaults are resolved in code, never assumed. */
function adapt(schema: Schema, title: string): Schema {
  const { default: _default, pattern: _pattern, properties, items, additionalProperties, ...rest } = schema;
  const adapted: Schema = { ...rest };
  for (const key of Object.keys(adapted)) {
    if (key.startsWith('x-kubernetes-')) delete (adapted as Record<string, unknown>)[key];
  }
  if (properties !== undefined) {
    adapted.title = title;
    adapted.properties = Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, adapt(child, title + capitalised(name))]),
    );
  }
  if (items !== undefined) adapted.items = adapt(items, singular(title));
  if (typeof additionalProperties === 'object')
    adapted.additionalProperties = adapt(additionalProperties, title);
  return adapted;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function singular(word: string): string {
  return word.replace(/ies$/, 'y').replace(/s$/, '');
}
