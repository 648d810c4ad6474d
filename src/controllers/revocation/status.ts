/** What a TokenRevocation says of itself: one pure function from what was found to the whole status. */

import type { TokenRevocationStatus } from '../../api/generated/tokenrevocations.ts';
import { EXPIRED_REASONS, REVOCATION_REASONS, type RevocationReason } from '../../api/revocation-reasons.ts';
import type { TokenRevocation } from '../../api/token-revocation.ts';
import { nameSome } from '../../domain/delegation/resolve-acceptance.ts';
import { rfc3339, stampedConditions, type WantedCondition } from '../stamped-conditions.ts';
import type { JudgedRevocation } from './revocation-book.ts';

/** Everything the status is made of. */
export interface RevocationSituation {
  readonly judged: JudgedRevocation;
  /** Namespaces whose bundle should have the revocation and does not have it yet. */
  readonly missing: readonly string[];
  readonly nowMs: number;
}

type Said = Omit<WantedCondition, 'type'>;

/** The status to store, in full. */
export function revocationStatus(
  revocation: TokenRevocation,
  situation: RevocationSituation,
): TokenRevocationStatus {
  const { judged, nowMs } = situation;
  const ready = readiness(situation);
  const wanted: WantedCondition[] = [{ type: 'Ready', ...ready }];
  if (judged.kind === 'entry') wanted.push({ type: 'Expired', ...expiry(situation) });
  if (ready.reason === 'Publishing') wanted.push({ type: 'Reconciling', ...ready, status: 'True' });
  if (judged.kind !== 'entry') wanted.push({ type: 'Stalled', ...ready, status: 'True' });
  return {
    observedGeneration: revocation.metadata.generation,
    ...(judged.kind === 'entry'
      ? {
          issuedBefore: rfc3339(judged.issuedBefore * 1000),
          expiresAt: rfc3339(judged.entry.until * 1000),
        }
      : {}),
    conditions: stampedConditions(revocation, wanted, nowMs),
  };
}

function readiness({ judged, missing, nowMs }: RevocationSituation): Said {
  switch (judged.kind) {
    case 'not-governed':
      return said(
        'NamespaceNotGoverned',
        "The namespace is not in the chart's list `namespaces`: it has no agents, so no chain of tokens matches. Create the object where the agents are, or in the namespace of the operator for those of all.",
      );
    case 'invalid':
      return said(
        'InvalidSpec',
        `${nameSome(judged.invalidFields)}. Nothing is revoked; create another one.`,
      );
    default:
      if (judged.entry.until * 1000 <= nowMs)
        return said('Expired', 'The last token that it can touch is dead by itself.');
      return missing.length === 0
        ? said('Published', 'The bundle of every namespace concerned has it.')
        : said('Publishing', `Not yet in the bundle of ${nameSome(missing)}.`);
  }
}

function said(reason: RevocationReason, message: string): Said {
  return { status: REVOCATION_REASONS[reason].ready, reason, message };
}

function expiry({ judged, nowMs }: RevocationSituation): Said {
  const isOver = judged.kind === 'entry' && judged.entry.until * 1000 <= nowMs;
  return isOver
    ? { status: 'True', reason: EXPIRED_REASONS.True, message: 'Nothing is left for it to do.' }
    : {
        status: 'False',
        reason: EXPIRED_REASONS.False,
        message: 'There may be tokens that it touches; deleting it revives none.',
      };
}
