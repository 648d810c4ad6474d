/** Which policies and boundaries have work when something changes: those about which something else is to be said. */

import type { DelegationView, NamespaceRecord } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import { selects } from '../../domain/delegation/label-selector.ts';
import { resolveBoundary } from '../../domain/delegation/resolve-boundary.ts';
import type { Controller } from '../../kube/controller.ts';
import { isAsBefore } from '../triggers.ts';

/** What is connected. */
export interface DelegationTriggers {
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  readonly policies: Pick<Controller, 'enqueue'>;
  readonly boundaries: Pick<Controller, 'enqueue'>;
}

/** Connects caches and graph with the controllers. Call after the book is made and before the caches start. */
export function connectDelegation({ delegation, book, policies, boundaries }: DelegationTriggers): void {
  book.onChange((change) => {
    for (const policy of change.policies) policies.enqueue(policy);
  });
  delegation.policies.onChange((key, current, previous) => {
    if (!isAsBefore(current, previous)) policies.enqueue(key);
  });
  delegation.boundaries.onChange((name, current, previous) => {
    if (!isAsBefore(current, previous)) boundaries.enqueue(name);
  });
  delegation.namespaces.onChange((_name, current, previous) => {
    for (const name of boundariesThatDiffer(delegation, current, previous)) boundaries.enqueue(name);
  });
  book.onCompletenessChange(() => {
    for (const key of delegation.policies.keys()) policies.enqueue(key, { priority: 'background' });
    for (const name of delegation.boundaries.keys()) boundaries.enqueue(name, { priority: 'background' });
  });
}

/** Names of the boundaries that select one of the two and not the other. */
function boundariesThatDiffer(
  { boundaries }: DelegationView,
  current: NamespaceRecord | undefined,
  previous: NamespaceRecord | undefined,
): readonly string[] {
  return [...boundaries.values()]
    .filter(({ metadata, spec }) => {
      const { namespaceSelector } = resolveBoundary(metadata.name, spec).facts;
      const isSelected = (namespace: NamespaceRecord | undefined): boolean =>
        namespace !== undefined && selects(namespaceSelector, namespace.labels);
      return isSelected(current) !== isSelected(previous);
    })
    .map(({ metadata }) => metadata.name);
}
