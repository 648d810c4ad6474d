/** What status says of the mesh objects. */

import type { MeshOutcome } from '../mesh/outcome.ts';
import type { IdentityReport } from './status.ts';

/** The report on what came of them. */
export function meshReport(outcome: MeshOutcome): IdentityReport['mesh'] {
  switch (outcome.kind) {
    case 'outside':
      return 'none';
    case 'unchanged':
    case 'unanswered':
      return 'as-before';
    case 'rendered': {
      const { coverage = NOT_SEEN, isDryRun } = outcome;
      return { problem: undefined, coverage, isDryRun };
    }
    case 'pending': {
      const { message, isDryRun } = outcome;
      const problem = { reason: 'MeshPending', message } as const;
      return { problem, coverage: { reason: 'Pending', message }, isDryRun };
    }
    case 'failed': {
      const { reason, message, isDryRun } = outcome;
      return { problem: { reason, message }, coverage: { reason: 'Degraded', message }, isDryRun };
    }
  }
}

const NOT_SEEN = { reason: 'Pending', message: 'The pods of the namespace are not listed yet.' } as const;
