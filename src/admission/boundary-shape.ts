/** The shape of a CapabilityBoundary that code expects. */

import type { CapabilityBoundary } from '../api/capability-boundary.ts';
import { isNumber, isText, listOf, mapOf, objectOf } from '../domain/admission/shape.ts';
import { isCapability, isMetadata } from './wish-shape.ts';

const isSelector = objectOf(
  {},
  {
    matchLabels: mapOf(isText),
    matchExpressions: listOf(objectOf({ key: isText, operator: isText }, { values: listOf(isText) })),
  },
);
const isBoundary = objectOf({
  metadata: isMetadata,
  spec: objectOf(
    { namespaceSelector: isSelector },
    {
      capabilities: listOf(isCapability),
      maxDepth: isNumber,
      tokens: objectOf({}, { maxTTL: isText, maxUses: isNumber }),
    },
  ),
});

/** Whether an object can be read as one. */
export function isBoundaryShape(value: unknown): value is CapabilityBoundary {
  return isBoundary(value);
}
