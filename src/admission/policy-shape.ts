/** The shape of a DelegationPolicy that code expects. */

import type { DelegationPolicy } from '../api/delegation-policy.ts';
import { isNumber, isText, listOf, objectOf } from '../domain/admission/shape.ts';
import { isCapability, isMetadata } from './wish-shape.ts';

const isRule = objectOf(
  { from: isText, to: listOf(isText), capabilities: listOf(isCapability) },
  {
    name: isText,
    tokens: objectOf({}, { maxTTL: isText, maxUses: isNumber, taskTTL: isText }),
    rateLimit: objectOf({ delegations: isNumber }, { period: isText }),
  },
);
const isPolicy = objectOf({
  metadata: isMetadata,
  spec: objectOf({}, { maxDepth: isNumber, rules: listOf(isRule) }),
});

/** Whether an object can be read as one. */
export function isPolicyShape(value: unknown): value is DelegationPolicy {
  return isPolicy(value);
}
