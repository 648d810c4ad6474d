/** What reviewers decide from: caches and the graph, nothing else. */

import type { DelegationView } from '../cluster/delegation-view.ts';
import type { GraphBook } from '../cluster/graph-book.ts';
import type { IdentityView } from '../cluster/identity-view.ts';

/** See the file. A reviewer refuses while `book.isComplete` is false: what is not known cannot be allowed. */
export interface Known {
  readonly view: IdentityView;
  readonly delegation: DelegationView;
  readonly book: GraphBook;
}
