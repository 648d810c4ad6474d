/** Rules that hold for every kind, so that CEL stays within its budget and nothing is granted that nobody wrote. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';

const CRDS = join(import.meta.dirname, '../../../crds');

interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}

interface Node {
  readonly path: string;
  readonly schema: Schema;
  /** Lists around it, the innermost last. */
  readonly lists: readonly Schema[];
}

describe('schemas of the CRDs', () => {
  const nodes = readdirSync(CRDS)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => nodesOf(file, parse(readFileSync(join(CRDS, file), 'utf8'))));
  const pathsOf = (wrong: (node: Node) => boolean): readonly string[] =>
    nodes.filter(wrong).map(({ path }) => path);

  it('bound every list, text and map', () => {
    const isBounded = ({
      type,
      enum: values,
      format,
      maxLength,
      maxItems,
      maxProperties,
      ...rest
    }: Schema) => {
      if (type === 'string') return values !== undefined || format === 'date-time' || maxLength !== undefined;
      if (type === 'array') return maxItems !== undefined;
      return rest.additionalProperties === undefined || maxProperties !== undefined;
    };
    expect(pathsOf(({ schema }) => !isBounded(schema))).to.deep.equal([]);
  });

  it('say of every list how it is merged, and merge entries only where the whole is replaced, or in status', () => {
    const listType = (schema: Schema | undefined): unknown => schema?.['x-kubernetes-list-type'];
    const mayMerge = ({ path, lists }: Node): boolean =>
      path.includes(' status.') || lists.some((list) => listType(list) === 'atomic');
    const isWrong = (node: Node): boolean =>
      node.schema.type === 'array' &&
      listType(node.schema) !== 'atomic' &&
      (listType(node.schema) === undefined || !mayMerge(node));
    expect(pathsOf(isWrong)).to.deep.equal([]);
  });

  it('fill in nothing inside a list, where server-side apply would keep it', () => {
    expect(pathsOf(({ schema, lists }) => lists.length > 0 && 'default' in schema)).to.deep.equal([]);
  });

  it('describe every field that people write or read', () => {
    const isField = ({ path }: Node): boolean => !/ metadata|\[\]$|\*$/.test(path);
    expect(pathsOf((node) => isField(node) && node.schema['description'] === undefined)).to.deep.equal([]);
  });

  it('have one pattern for capability names and one for resources', () => {
    const patterns = (field: RegExp): readonly unknown[] => [
      ...new Set(nodes.filter(({ path }) => field.test(path)).map(({ schema }) => schema['pattern'])),
    ];
    expect(patterns(/apabilities\[\]\.name$/)).to.have.length(1);
    expect(patterns(/resources\[\]$/)).to.have.length(1);
  });
});

function nodesOf(
  file: string,
  crd: { spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } },
): readonly Node[] {
  const { apiVersion: _a, kind: _k, ...parts } = crd.spec.versions[0].schema.openAPIV3Schema.properties ?? {};
  return Object.entries(parts).flatMap(([name, schema]) =>
    below({ path: `${file} ${name}`, schema, lists: [] }),
  );
}

function below(node: Node): readonly Node[] {
  const { path, schema, lists } = node;
  const { properties = {}, additionalProperties, items } = schema;
  return [
    node,
    ...Object.entries(properties).flatMap(([name, child]) =>
      below({ path: `${path}.${name}`, schema: child, lists }),
    ),
    ...(additionalProperties === undefined
      ? []
      : below({ path: `${path}.*`, schema: additionalProperties, lists })),
    ...(items === undefined ? [] : below({ path: `${path}[]`, schema: items, lists: [...lists, schema] })),
  ];
}
