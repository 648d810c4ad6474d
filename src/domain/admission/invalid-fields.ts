/** Which of the fields that are refused an edit brings, and which were there before. */

import type { Violation } from './violation.ts';

/**
 * What is wrong after an edit and was not before. Indexes do not count: taking the first entry out of a list moves what is
 * wrong with the second one, it does not bring it.
 *
 * @param before Field path and rule of each, as the old object has them.
 */
export function addedInvalidFields(
  before: readonly string[],
  after: readonly string[],
): readonly Violation[] {
  const known = new Map<string, number>();
  for (const says of before) known.set(withoutIndexes(says), (known.get(withoutIndexes(says)) ?? 0) + 1);
  return after.flatMap((says) => {
    const key = withoutIndexes(says);
    const left = known.get(key) ?? 0;
    if (left === 0) return [{ says }];
    known.set(key, left - 1);
    return [];
  });
}

function withoutIndexes(says: string): string {
  return says.replace(/\[[0-9]+\]/g, '[]');
}
