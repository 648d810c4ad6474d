/** What the schema of a CRD demands of the objects that people write, and how the API server words each refusal. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Something that the server refuses, with the words it uses. */
export interface Constraint {
  /** `[]` stands for any index, `*` for any key. */
  readonly path: string;
  readonly says: string;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string; readonly fieldPath?: string }[];
  readonly [keyword: string]: unknown;
}

const CRDS = join(import.meta.dirname, '../../../crds');

const WORDS: Readonly<Record<string, string>> = {
  pattern: 'should match',
  format: 'must be of type',
  enum: 'Unsupported value',
  minLength: 'should be at least',
  maxLength: 'Too long',
  minItems: 'should have at least',
  maxItems: 'Too many',
  maxProperties: 'Too many',
  minimum: 'should be greater than or equal to',
  maximum: 'should be less than or equal to',
};
/** Formats of whole numbers, which the server does not check by themselves. */
const NUMBERS = ['int32', 'int64'];

/** All of `crds/<plural>.yaml` but those of the status. */
export function constraintsOf(plural: string): readonly Constraint[] {
  const crd = parse(readFileSync(join(CRDS, `${plural}.yaml`), 'utf8')) as {
    spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] };
  };
  const { properties = {}, ...root } = crd.spec.versions[0].schema.openAPIV3Schema;
  const { status: _status, ...written } = properties;
  return below({ ...root, properties: written }, '');
}

/** Whether a message of the server is about this constraint. */
export function isMetBy({ path, says }: Constraint): (message: string) => boolean {
  const pattern = path
    .split(/(\[\]|\*)/)
    .map((part) => (part === '[]' ? '\\[\\d+\\]' : part === '*' ? '[^: ]+' : escaped(part)))
    .join('');
  // a message with several refusals is a list of them, each of which begins with its path
  const refusal = new RegExp(`(?:^|[ [])${pattern}: (?:(?!, spec\\.).)*?${escaped(says)}`, 's');
  return (message) => refusal.test(message);
}

function below(schema: Schema, path: string): readonly Constraint[] {
  const { properties = {}, additionalProperties, items, required = [] } = schema;
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  return [
    ...here(schema, path),
    ...required.map((name) => ({ path: at(name), says: 'Required value' })),
    ...Object.entries(properties).flatMap(([name, child]) => below(child, at(name))),
    ...(additionalProperties === undefined ? [] : below(additionalProperties, `${path}.*`)),
    ...(items === undefined ? [] : below(items, `${path}[]`)),
  ];
}

function here(schema: Schema, path: string): readonly Constraint[] {
  const keywords = Object.keys(WORDS).filter((keyword) => {
    return keyword in schema && !NUMBERS.includes(String(schema[keyword]));
  });
  const rules = schema['x-kubernetes-validations'] ?? [];
  return [
    ...keywords.map((keyword) => ({ path, says: WORDS[keyword] ?? keyword })),
    ...(schema['x-kubernetes-list-type'] === 'set' ? [{ path: `${path}[]`, says: 'Duplicate value' }] : []),
    ...rules.map(({ message, fieldPath = '' }) => ({
      path: `${path}${fieldPath}`.replace(/^\./, ''),
      says: message,
    })),
  ];
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
