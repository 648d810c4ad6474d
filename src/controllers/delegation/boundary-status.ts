/** What a CapabilityBoundary says of itself. */

import type { CapabilityBoundary } from '../../api/capability-boundary.ts';
import { DELEGATION_REASONS, type DelegationReason } from '../../api/conditions.ts';
import type { CapabilityBoundaryStatus } from '../../api/generated/capabilityboundaries.ts';
import { nameSome } from '../../domain/delegation/resolve-acceptance.ts';
import { stampedConditions, type WantedCondition } from '../stamped-conditions.ts';
import { graphIncomplete } from './policy-status.ts';

/** Everything the status is made of. */
export interface BoundarySituation {
  /** How many namespaces it selects now. */
  readonly namespaces: number;
  readonly invalidFields: readonly string[];
  /** Plurals of the kinds that have not been listed yet. */
  readonly missing: readonly string[];
}

/**
 * The status to store, in full.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 */
export function boundaryStatus(
  boundary: CapabilityBoundary,
  { namespaces, invalidFields, missing }: BoundarySituation,
  nowMs: number,
): CapabilityBoundaryStatus {
  const [reason, message]: readonly [DelegationReason, string] =
    invalidFields.length > 0
      ? [
          'InvalidSpec',
          `${nameSome(invalidFields)}. Until that is mended the boundary binds more: what is refused is not held, a requirement that is refused selects everything.`,
        ]
      : missing.length > 0
        ? ['GraphIncomplete', graphIncomplete(missing)]
        : ['Accepted', `It binds the agents of ${namespaces} namespaces.`];
  const ready = { status: DELEGATION_REASONS[reason].ready, reason, message };
  const wanted: WantedCondition[] = [{ type: 'Ready', ...ready }];
  if (reason === 'GraphIncomplete') wanted.push({ type: 'Reconciling', ...ready, status: 'True' });
  if (reason === 'InvalidSpec') wanted.push({ type: 'Stalled', ...ready, status: 'True' });
  return {
    observedGeneration: boundary.metadata.generation,
    namespaces,
    conditions: stampedConditions(boundary, wanted, nowMs),
  };
}
