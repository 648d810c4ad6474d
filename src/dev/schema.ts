/** What the API server would refuse of an object: the schemas of our kinds, as they stand in the CRDs. */

import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import {
  AGENT_IDENTITY,
  CAPABILITY_BOUNDARY,
  DELEGATION_POLICY,
  GROUP,
  TOKEN_REVOCATION,
  VERSION,
} from '../api/group.ts';
import { isDnsName } from '../domain/certificate/dns-name.ts';
import { NAMESPACE } from '../kube/core-types.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import type { FieldPath } from './manifests.ts';

/** A field and what is wrong with it; one sentence without its full stop. */
export interface FieldProblem {
  readonly path: FieldPath;
  readonly says: string;
}

type Schema = { readonly [member: string]: unknown };

/** Kinds that something is made of here, in the order in which they are applied. */
const TYPES: readonly ResourceType[] = [
  NAMESPACE,
  CAPABILITY_BOUNDARY,
  AGENT_IDENTITY,
  DELEGATION_POLICY,
  TOKEN_REVOCATION,
];

const validators = new Map<string, ValidateFunction>();

/** The type of an object; undefined for one that nothing is made of here. */
export function typeOf({ apiVersion, kind }: KubeObject): ResourceType | undefined {
  return TYPES.find(
    (type) => type.kind === kind && apiVersion === (type.group === '' ? 'v1' : `${GROUP}/${VERSION}`),
  );
}

/** The place of a type in the order in which they are applied. */
export function rankOf(type: ResourceType): number {
  return TYPES.indexOf(type);
}

/** Looks at every field. Rules in CEL are not evaluated: what they say is checked again by whoever reads the object. */
export function schemaProblems(type: ResourceType, object: KubeObject): readonly FieldProblem[] {
  const name: readonly FieldProblem[] = isDnsName(object.metadata.name)
    ? []
    : [{ path: ['metadata', 'name'], says: 'must be a DNS name in lower case, for example agent-writer' }];
  if (type.group === '') return name;
  const validate = validatorOf(type);
  validate(object);
  return [...name, ...(validate.errors ?? []).flatMap(problemOf)];
}

function validatorOf({ plural }: ResourceType): ValidateFunction {
  const known = validators.get(plural);
  if (known !== undefined) return known;
  const crd = parse(readFileSync(new URL(`../../crds/${plural}.yaml`, import.meta.url), 'utf8')) as {
    readonly spec: {
      readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
    };
  };
  const [version] = crd.spec.versions;
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    validateFormats: false,
    unicodeRegExp: false,
  });
  const made = ajv.compile(closed(version?.schema.openAPIV3Schema ?? {}));
  validators.set(plural, made);
  return made;
}

/** The same without fields that it does not name, which kubectl refuses as unknown. */
function closed(schema: Schema): Schema {
  const { properties, items, additionalProperties } = schema;
  const isClosed =
    isSchema(properties) &&
    additionalProperties === undefined &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true;
  return {
    ...schema,
    ...(isSchema(properties) ? { properties: mapped(properties) } : {}),
    ...(isSchema(items) ? { items: closed(items) } : {}),
    ...(isSchema(additionalProperties) ? { additionalProperties: closed(additionalProperties) } : {}),
    ...(isClosed ? { additionalProperties: false } : {}),
  };
}

/** The API server has a schema of its own for metadata. */
function mapped(properties: Schema): Schema {
  const entries = Object.entries(properties).map(([name, schema]) =>
    isSchema(schema) && name !== 'metadata' ? [name, closed(schema)] : [name, schema],
  );
  return Object.fromEntries(entries);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problemOf({
  instancePath,
  keyword,
  params,
  message = '',
  parentSchema,
}: ErrorObject): FieldProblem[] {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => (/^[0-9]+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
  switch (keyword) {
    case 'additionalProperties':
      return [
        {
          path: [...path, String(params['additionalProperty'])],
          says: 'is no field of this kind: take it out or correct its name',
        },
      ];
    case 'required':
      return [{ path: [...path, String(params['missingProperty'])], says: 'is missing' }];
    case 'enum':
      return [{ path, says: `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}` }];
    case 'pattern': {
      const description: unknown = parentSchema?.['description'];
      const meaning = typeof description === 'string' ? ` (${description.replace(/\.$/, '')})` : '';
      return [{ path, says: `${message}${meaning}` }];
    }
    default:
      return [{ path, says: message }];
  }
}
