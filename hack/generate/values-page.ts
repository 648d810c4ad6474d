/** Reference page of the chart's values, from values.yaml and the comments in it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

interface ValueRow {
  readonly path: string;
  readonly defaultValue: string;
  readonly says: string;
}

/** docs/reference/values.md. Throws for a value without a comment. */
export async function valuesPage(root: string): Promise<ReadonlyMap<string, string>> {
  const document = parseDocument(await readFile(join(root, 'helm/agent-trust/values.yaml'), 'utf8'));
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  const first = document.contents.items[0]?.key;
  // the comment above the first value is taken for the document's
  if (isScalar(first)) first.commentBefore ??= document.contents.commentBefore ?? document.commentBefore;
  const rows = rowsOf(document.contents, '').map(
    ({ path, defaultValue, says }) => `| \`${path}\` | \`${defaultValue}\` | ${says} |`,
  );
  const page = `# Values of the chart

Generated from \`helm/agent-trust/values.yaml\` by \`npm run generate\`. \`helm/agent-trust/values.schema.json\` refuses
values that are not here and values of the wrong form.

| value | default | what it is |
|---|---|---|
${rows.join('\n')}
`;
  return new Map([['docs/reference/values.md', page]]);
}

function rowsOf(map: YAMLMap, prefix: string): readonly ValueRow[] {
  return map.items.flatMap((pair) => rowsOfPair(pair, prefix));
}

function rowsOfPair({ key, value }: Pair, prefix: string): readonly ValueRow[] {
  if (!isScalar(key)) throw new Error('a key of values.yaml is no text');
  const path = `${prefix}${key.value}`;
  if (isMap(value) && value.flow !== true) {
    const [first] = value.items;
    if (isScalar(first?.key) && value.commentBefore) first.key.commentBefore ??= value.commentBefore;
    return rowsOf(value, `${path}.`);
  }
  const says = key.commentBefore?.trim();
  if (says === undefined || says === '') throw new Error(`values.yaml: ${path} has no comment`);
  const plain = isScalar(value) || isMap(value) ? value.toJSON() : (value as { toJSON(): unknown }).toJSON();
  return [{ path, defaultValue: JSON.stringify(plain), says: says.replace(/\n\s*/g, ' ') }];
}
