/** The text of a refusal: a headline, then every reason with its field, then how it would travel and the way out. */

import { MAX_VIOLATIONS, type Violation } from '../domain/admission/violation.ts';

/** So many violations are told in full. */
const MAX_TOLD = 16;
/** The shape of the names of agents that a path is told with. */
type Named = (agent: `${string}/${string}`) => string;

/** Violations of one sort. */
export interface RefusalPart {
  readonly headline: string;
  readonly violations: readonly Violation[];
}

/**
 * Renders them; parts without violations are left out.
 *
 * @param named How people of the namespace name an agent.
 * @returns undefined when there is no violation at all.
 */
export function refusalText(parts: readonly RefusalPart[], named: Named): string | undefined {
  const told = parts.filter(({ violations }) => violations.length > 0);
  if (told.length === 0) return undefined;
  return told.map((part) => partText(part, named)).join('\n');
}

function partText({ headline, violations }: RefusalPart, named: Named): string {
  const more = violations.length < MAX_VIOLATIONS ? violations.length - MAX_TOLD : 'many';
  return [
    headline,
    ...violations.slice(0, MAX_TOLD).flatMap((violation) => violationLines(violation, named)),
    ...(violations.length > MAX_TOLD ? [`  and ${more} more`] : []),
  ].join('\n');
}

function violationLines({ says, travels, wayOut }: Violation, named: Named): readonly string[] {
  return [
    `  ${printable(says)}.`,
    ...(travels === undefined ? [] : [`    It would travel ${travels().map(named).join(' -> ')}.`]),
    ...(wayOut === undefined ? [] : [`    ${printable(wayOut)}.`]),
  ];
}

/** Values of the object are quoted in it. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}
