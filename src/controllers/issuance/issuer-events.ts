/** What people are told of the CAs of issuers. */

import type { EventReason } from '../../api/event-reasons.ts';
import { issuerTitle, parseIssuerId } from '../../domain/issuance/issuer.ts';
import type { KeptCA, KeptCAs } from './issuer-state.ts';

/** One event. */
export interface IssuerEvent {
  readonly reason: EventReason;
  readonly note: string;
}

/** What differs between two judgements. */
export function issuerChanges(before: KeptCAs, after: KeptCAs, graceMs: number): readonly IssuerEvent[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id) => {
    const [earlier, later] = [before.get(id) ?? [], after.get(id) ?? []];
    const ids = new Set([...earlier, ...later].map(({ certificate }) => certificate.id));
    return [...ids].flatMap((caId) => {
      const of = (cas: readonly KeptCA[]): KeptCA | undefined =>
        cas.find(({ certificate }) => certificate.id === caId);
      return changeOf(`CA ${caId} of ${titleOf(id)}`, { was: of(earlier), is: of(later), graceMs });
    });
  });
}

interface Change {
  readonly was: KeptCA | undefined;
  readonly is: KeptCA | undefined;
  readonly graceMs: number;
}

function changeOf(ca: string, { was, is, graceMs }: Change): readonly IssuerEvent[] {
  const [wasTrusted, isTrusted] = [was?.isTrusted === true, is?.isTrusted === true];
  if (!wasTrusted && isTrusted)
    return [
      {
        reason: 'IssuerTrusted',
        note: `${ca} joins every trust bundle: its issuer is listed, and only the operator may ask it`,
      },
    ];
  if (wasTrusted && !isTrusted) {
    const why =
      is === undefined
        ? 'it signs no more, and none of its certificates lives. What is listed as former can go from the list'
        : 'nothing kept others from asking its issuer. Agents refuse its certificates until policy agent-trust-issuers is back';
    return [{ reason: 'IssuerUntrusted', note: `${ca} leaves every trust bundle: ${why}` }];
  }
  const sinceMs = is?.unfencedSinceMs;
  if (!isTrusted || sinceMs === undefined || was?.unfencedSinceMs !== undefined) return [];
  const until = new Date(sinceMs + graceMs).toISOString().replace(/\.\d{3}Z/, 'Z');
  const note = `Nothing keeps others from asking the issuer of ${ca} for the SPIFFE ID of any agent: policy agent-trust-issuers or its binding is missing, was changed, or does not name it. The CA leaves every trust bundle at ${until} unless it is back by then. Whoever asked meanwhile can be any agent until that certificate ends`;
  return [{ reason: 'IssuerNotFenced', note }];
}

function titleOf(id: string): string {
  const issuer = parseIssuerId(id);
  return issuer === undefined ? id : issuerTitle(issuer);
}
