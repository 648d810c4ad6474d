/** What an edit breaks, in a form that one function renders. */

import type { AgentId } from '../delegation/facts.ts';

/** So many are counted; nobody reads them all. */
export const MAX_VIOLATIONS = 100;

/** One reason to refuse an edit. */
export interface Violation {
  /** Field path, rule and who lacks what; one sentence without its full stop. */
  readonly says: string;
  /** How the capability would come to its last agent, root first. A function: it is asked only for what is shown. */
  readonly travels?: () => readonly AgentId[];
  /** What to do; one sentence without its full stop. Absent where `says` has it. */
  readonly wayOut?: string;
}
