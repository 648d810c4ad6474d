/** Reads manifests from files and folders: YAML or JSON, several documents in a file. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../kube/object.ts';
import { codeOf, DevFailure } from './dev-failure.ts';

/** A path into an object: names of members and indexes. */
export type FieldPath = readonly (string | number)[];

/** One object and where it stands. */
export interface Manifest {
  readonly object: KubeObject & { readonly apiVersion: string; readonly kind: string };
  /** `file:line` of a field, or of the nearest thing around it that is there. */
  readonly where: (path?: FieldPath) => string;
}

/** All texts at one moment. */
export type SourceTexts = ReadonlyMap<string, string>;

/** JSON beside them is as a rule of other programs; a file that is named by itself may be of any kind. */
const EXTENSION = /\.ya?ml$/;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Reads the texts; of folders the YAML files that lie directly in them.
 *
 * @throws DevFailure when a path is not there or cannot be read.
 */
export function readSources(paths: readonly string[]): SourceTexts {
  const files = new Set(paths.flatMap((path) => attempt(path, () => filesOf(path))));
  return new Map([...files].map((file) => [file, attempt(file, () => readText(file))]));
}

/**
 * Takes the objects out of the texts.
 *
 * @throws DevFailure with every place at which a text is no YAML or no object of Kubernetes.
 */
export function readManifests(sources: SourceTexts): readonly Manifest[] {
  const problems: string[] = [];
  const manifests = [...sources].flatMap(([file, text]) => manifestsOf(file, text, problems));
  if (problems.length > 0) throw new DevFailure('data', problems.join('\n'));
  return manifests;
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && EXTENSION.test(entry.name));
  return files.map(({ name }) => join(path, name)).sort();
}

function readText(file: string): string {
  const { size } = statSync(file);
  if (size > MAX_FILE_BYTES)
    throw new DevFailure('data', `${file} is larger than 4 MiB: no manifest of agents is`);
  return readFileSync(file, 'utf8');
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DevFailure) throw error;
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new DevFailure(
      'noInput',
      `${path} ${why}. Name files or folders with the manifests of your agents.`,
    );
  }
}

function manifestsOf(file: string, text: string, problems: string[]): readonly Manifest[] {
  const lines = new LineCounter();
  const place = (offset: number): string => `${file}:${Math.max(1, lines.linePos(offset).line)}`;
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    for (const { pos, message } of document.errors) problems.push(`${place(pos[0])}: ${message}`);
    if (document.errors.length > 0) return [];
    return objectsOf(document).flatMap(({ value, path: base }) => {
      const where = (path: FieldPath = []): string => place(offsetOf(document, [...base, ...path]));
      const problem = problemOf(value);
      if (problem !== undefined) problems.push(`${where()}: ${problem}`);
      return problem === undefined ? [{ object: value as Manifest['object'], where }] : [];
    });
  });
}

/** A document that is empty has none, a List has many. */
function objectsOf(document: Document): readonly { readonly value: unknown; readonly path: FieldPath }[] {
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return [];
  if (isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items']))
    return value['items'].map((item: unknown, index) => ({ value: item, path: ['items', index] }));
  return [{ value, path: [] }];
}

function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'this is no object of Kubernetes';
  if (typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string')
    return 'apiVersion and kind must say what this is';
  const { metadata } = value;
  return isRecord(metadata) && typeof metadata['name'] === 'string'
    ? undefined
    : 'metadata.name must name the object';
}

/** Of the field, or of what is around it. */
function offsetOf(document: Document, path: FieldPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isRecord(node) && Array.isArray(node['range'])) return Number(node['range'][0]);
  }
  return 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
