/** Applies the additions of an RFC 6902 JSON Patch, as an API server does. */

import { expect } from 'chai';

/** One operation; only `add` is known. */
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** The document afterwards; the one given stays as it is. @throws Error for a path whose parent is not there. */
export function applyPatch<T>(document: T, patch: readonly Operation[]): T {
  const result = structuredClone(document);
  for (const { op, path, value } of patch) {
    expect(op).to.equal('add');
    const tokens = path
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    addAt(result, tokens, structuredClone(value));
  }
  return result;
}

function addAt(document: unknown, tokens: readonly string[], value: unknown): void {
  let parent = document as Record<string, unknown> | undefined;
  for (const token of tokens.slice(0, -1)) parent = parent?.[token] as typeof parent;
  const last = tokens.at(-1) ?? '';
  if (typeof parent !== 'object' || parent === null) throw new Error(`nothing is at the parent of ${last}`);
  if (!Array.isArray(parent)) {
    parent[last] = value;
    return;
  }
  const index = last === '-' ? parent.length : Number(last);
  if (!(index <= parent.length)) throw new Error(`the list has no place ${last}`);
  parent.splice(index, 0, value);
}
