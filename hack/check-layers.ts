/** Checks the files of src/ against the table of hack/layers.ts; `node hack/check-layers.ts` prints what is wrong. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Edge, findCycles } from './layers/cycles.ts';
import { importsOf } from './layers/imports.ts';
import { GENERATED, LAYERS, MAX_LINES } from './layers.ts';

/**
 * Finds files in unknown folders, imports against the table, imports from outside of src/, import cycles (type-only
 * imports count) and files that are too long.
 *
 * @param root folder that holds src/.
 * @returns one line per violation, `path:line: what is wrong`, in the order of the paths; empty when all is well.
 */
export function checkLayers(root: string): string[] {
  const files = sourceFiles(root).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const edges = files.flatMap(({ path, text }) => localEdges(root, path, text));
  const problems = [
    ...files.flatMap(({ path, text }) => [
      ...folderProblems(path),
      ...lengthProblems(path, text),
      ...specifierProblems(path, text),
    ]),
    ...edges.flatMap(edgeProblems),
    ...findCycles(edges).map(cycleProblem),
  ];
  return problems.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Paths relative to the root, with forward slashes, sorted. */
function sourceFiles(root: string): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path.split(sep).join('/')}`)
    .sort();
}

function folderOf(path: string): string | undefined {
  const [, folder, ...rest] = path.split('/');
  return rest.length > 0 ? folder : undefined;
}

function localEdges(root: string, from: string, text: string): Edge[] {
  return importsOf(text).flatMap(({ line, specifier }) => {
    if (specifier === undefined || !specifier.startsWith('.')) return [];
    const to = relative(root, resolve(root, dirname(from), specifier));
    return [{ from, line, to: to.split(sep).join('/') }];
  });
}

function folderProblems(path: string): string[] {
  const folder = folderOf(path);
  if (LAYERS.some((layer) => layer.folder === folder)) return [];
  return [
    `${path}:1: ${folder === undefined ? 'lies in no folder' : `unknown folder src/${folder}`} (see hack/layers.ts)`,
  ];
}

function lengthProblems(path: string, text: string): string[] {
  if (GENERATED.some((folder) => path.startsWith(`src/${folder}/`))) return [];
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines > MAX_LINES ? [`${path}:${MAX_LINES + 1}: ${lines} lines, ${MAX_LINES} at most`] : [];
}

function specifierProblems(path: string, text: string): string[] {
  return importsOf(text).flatMap(({ line, specifier }) => {
    if (specifier === undefined) return [`${path}:${line}: an import computed at run time cannot be checked`];
    if (/^(#|\/|file:|agent-trust(\/|$))/.test(specifier))
      return [`${path}:${line}: write ${specifier} as a relative path`];
    return [];
  });
}

function edgeProblems({ from, line, to }: Edge): string[] {
  if (!to.startsWith('src/')) return [`${from}:${line}: src may not import ${to}`];
  const [folder, target] = [folderOf(from), folderOf(to)];
  const layer = LAYERS.find((candidate) => candidate.folder === folder);
  if (layer === undefined || folder === target) return [];
  if (target !== undefined && layer.mayImport.includes(target)) return [];
  return [`${from}:${line}: ${folder} may not import ${target ?? to} (${to})`];
}

function cycleProblem(cycle: readonly Edge[]): string {
  const closing = cycle.at(-1);
  return `${closing?.from}:${closing?.line}: import cycle: ${[...cycle.map(({ from }) => from), closing?.to].join(' -> ')}`;
}

if (import.meta.main) {
  const problems = checkLayers(fileURLToPath(new URL('..', import.meta.url)));
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
