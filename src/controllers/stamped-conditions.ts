/** Conditions as they are stored, from what they are to say. */

import type { Condition } from '../api/conditions.ts';

/** What a condition is to say. */
export type WantedCondition = Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>;

/** An object with conditions as far as they are known. */
export interface Conditioned {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly Pick<Condition, 'type' | 'status' | 'lastTransitionTime'>[];
  };
}

/**
 * Adds generation and time. A condition keeps its `lastTransitionTime` as long as its status stays.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 */
export function stampedConditions(
  { metadata, status }: Conditioned,
  wanted: readonly WantedCondition[],
  nowMs: number,
): Condition[] {
  return wanted.map((condition) => {
    const before = status?.conditions?.find(({ type }) => type === condition.type);
    return {
      ...condition,
      observedGeneration: metadata.generation,
      lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs),
    };
  });
}

/** RFC 3339 in whole seconds, as meta/v1 Time is written. */
export function rfc3339(instantMs: number): string {
  return new Date(Math.floor(instantMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
