/** Reasons of the conditions of a TokenRevocation; docs/reference/conditions.md is generated from this table too. */

import type { ReasonText } from './reason-text.ts';

/** A reason of Ready of a TokenRevocation. */
export type RevocationReason =
  | 'Published'
  | 'Pending'
  | 'Publishing'
  | 'Expired'
  | 'InvalidSpec'
  | 'NamespaceNotGoverned';

/** Reasons of the condition Ready of a TokenRevocation. */
export const REVOCATION_REASONS: Readonly<Record<RevocationReason, ReasonText>> = {
  Published: {
    ready: 'True',
    retried: 'whenever another bundle is concerned',
    means:
      'The bundle of every namespace with agents that may meet such tokens has the revocation. Verifiers have it with their next copy: within two minutes where it comes with the mounted files.',
    wayOut: 'Nothing to do.',
  },
  Pending: {
    ready: 'Unknown',
    retried: 'at once',
    means: 'No operator has looked at this object yet.',
    wayOut: 'See that the operator runs: kubectl get pods -n agent-trust-system.',
  },
  Publishing: {
    ready: 'False',
    retried: 'until it is done',
    means: 'Bundles are being written; the message names the namespaces that lack the revocation.',
    wayOut: 'Usually nothing. If it lasts: the events of ConfigMap agent-trust-bundle there.',
  },
  Expired: {
    ready: 'True',
    retried: 'no',
    means: 'The last token that it can touch is dead by itself, so it stands in no bundle any more.',
    wayOut: 'Delete it, or leave it as a record.',
  },
  InvalidSpec: {
    ready: 'False',
    retried: 'no',
    means:
      'A stored value names no token that there can be. The message names field and rule. Nothing is revoked.',
    wayOut: 'Create another one.',
  },
  NamespaceNotGoverned: {
    ready: 'False',
    retried: 'when the operator starts with another list',
    means: "The namespace is not in the chart's list `namespaces`, so no chain has an agent of it.",
    wayOut: "Create it where the agents are, or in the operator's namespace for the tokens of all.",
  },
};

/** Reasons of the condition Expired of a TokenRevocation, by its status. */
export const EXPIRED_REASONS = { True: 'Expired', False: 'NotExpired' } as const;
