/** What is trusted, with the CAs of issuers beside the generations of the built-in authority. */

import { createHash } from 'node:crypto';
import type { AuthorityState } from '../authority/authority-state.ts';
import { type IssuerBook, pemOf } from './issuer-book.ts';

/** Makes the function that adds them. The same state comes out as long as the same goes in. */
export function withIssuers(
  book: Pick<IssuerBook, 'isComplete' | 'trusted'>,
): (state: AuthorityState) => AuthorityState {
  let last:
    | { readonly of: AuthorityState; readonly trusted: unknown; readonly state: AuthorityState }
    | undefined;
  return (state) => {
    // What an earlier leader trusted must not leave the bundles because it is not read yet.
    if (!book.isComplete) return { kind: 'pending' };
    if (state.kind !== 'ready' || book.trusted.length === 0) return state;
    if (last === undefined || last.of !== state || last.trusted !== book.trusted) {
      const added = pemOf(book.trusted).filter((pem) => !state.bundlePem.includes(pem));
      const bundlePem = state.bundlePem + [...new Set(added)].join('');
      const bundleSha256 = createHash('sha256').update(bundlePem).digest('hex');
      last = { of: state, trusted: book.trusted, state: { ...state, bundlePem, bundleSha256 } };
    }
    return last.state;
  };
}

/** Makes the function that joins two lists into one, which stays the same as long as both do. */
export function joined<T>(first: () => readonly T[], second: () => readonly T[]): () => readonly T[] {
  let last: readonly [readonly T[], readonly T[], readonly T[]] | undefined;
  return () => {
    const [a, b] = [first(), second()];
    if (last === undefined || last[0] !== a || last[1] !== b)
      last = [a, b, b.length === 0 ? a : [...a, ...b]];
    return last[2];
  };
}
