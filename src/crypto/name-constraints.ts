/** Reading the extension nameConstraints, RFC 5280 section 4.2.1.10. What it means is decided in the domain. */

import type { NameBase, NameConstraints } from '../domain/certificate/name-constraints.ts';
import { children, type Element, tagOf } from './asn1-element.ts';
import { contextTag } from './der.ts';

const KINDS: ReadonlyMap<number, NameBase['kind']> = new Map([
  [contextTag(2, 'primitive'), 'dns'],
  [contextTag(4, 'constructed'), 'directory'],
  [contextTag(6, 'primitive'), 'uri'],
]);

/** @throws TypeError for what has not its form. */
export function readNameConstraints(extension: Element): NameConstraints {
  const subtrees = (tag: number): readonly Element[] =>
    children(extension)
      .filter((field) => tagOf(field) === contextTag(tag, 'constructed'))
      .flatMap(children);
  const [permitted, excluded] = [subtrees(0), subtrees(1)];
  return {
    permitted: permitted.map(baseOf),
    excluded: excluded.map(baseOf),
    hasDistances: [...permitted, ...excluded].some((subtree) => children(subtree).length > 1),
  };
}

function baseOf(subtree: Element): NameBase {
  const [base] = children(subtree);
  if (base === undefined) throw new TypeError('a subtree has no base');
  const { value } = base;
  // A copy: a slice of the whole certificate would keep all of it in memory.
  const text = typeof value === 'string' ? Buffer.from(value, 'latin1').toString('latin1') : '';
  return { kind: KINDS.get(tagOf(base)) ?? 'other', text };
}
