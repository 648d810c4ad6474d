/** The warnings of an answer, as many and as long as people can take. */

import type { Warning } from '../domain/admission/effect-warnings.ts';

const MAX_WARNINGS = 16;
/** The API server cuts at 256 characters, and all together at 4096. */
const MAX_LENGTH = 255;
const MAX_TOTAL_LENGTH = 3_999;

/** The first of them, each cut; the last one says how many more there are. */
export function limitedWarnings(warnings: readonly Warning[]): readonly string[] {
  const shown: string[] = [];
  let length = 0;
  for (const warning of warnings) {
    const room = warnings.length - shown.length > 1 ? MORE_LENGTH : 0;
    if (shown.length === MAX_WARNINGS - 1 && room > 0) break;
    const text = cut(warning());
    if (length + text.length + room > MAX_TOTAL_LENGTH) break;
    shown.push(text);
    length += text.length;
  }
  const more = warnings.length - shown.length;
  return more === 0 ? shown : [...shown, `and ${more} more`];
}

const MORE_LENGTH = 'and 1000000 more'.length;

function cut(text: string): string {
  const plain = text.replace(/[^ -~]/g, '?');
  return plain.length <= MAX_LENGTH ? plain : `${plain.slice(0, MAX_LENGTH - 3)}...`;
}
