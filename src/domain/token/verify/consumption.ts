/** What the store of used tokens is asked about a token that passed all other steps. */

import { delegableUntil, TOKEN_LIMITS, usesOf } from '../claims.ts';
import {
  type Consumption,
  type CountedParent,
  KEEP_SECONDS,
  type RateLimit,
} from '../replay/replay-store.ts';
import type { Examined } from './examine.ts';
import type { Holder } from './holder.ts';
import type { GrantedHop } from './hops.ts';
import type { TokenRequest } from './verifier.ts';

/** Puts the question together. */
export function consumptionOf(
  { leaf: { claims }, hops, holder }: Examined<Holder>,
  { attemptId, fingerprint }: TokenRequest,
): Consumption {
  return {
    presenter: claims.client_id,
    tokenId: claims.jti,
    issuedAtSeconds: claims.iat,
    keepUntilSeconds: claims.exp + KEEP_SECONDS,
    maxUses: usesOf(claims),
    attemptId,
    fingerprint,
    proofId: holder.proof?.jti,
    parent: claims.par_hash === undefined ? undefined : countedParent(claims.par_hash, hops),
    rateLimit: rateLimitOf(hops.at(-1)),
  };
}

function countedParent(key: string, hops: readonly GrantedHop[]): CountedParent | undefined {
  const [parent, root] = [hops.at(-2), hops[0]];
  if (parent === undefined || root === undefined) return undefined;
  const until = parent.claims === undefined ? latestEnd(parent, root) : delegableUntil(parent.claims);
  return { key, maxChildren: parent.edge.maxChildren, keepUntilSeconds: until + KEEP_SECONDS };
}

/** How long a parent can have children of which nothing is known but when it was issued. */
function latestEnd({ issuedAt, edge }: GrantedHop, root: GrantedHop): number {
  const taskSeconds = Math.max(0, ...edge.grants.map(({ taskTtlSeconds = 0 }) => taskTtlSeconds));
  return Math.max(issuedAt + TOKEN_LIMITS.lifetimeSeconds, root.issuedAt + taskSeconds);
}

function rateLimitOf(hop: GrantedHop | undefined): RateLimit | undefined {
  const rateLimit = hop?.authority.grant.rateLimit;
  if (hop === undefined || rateLimit === undefined) return undefined;
  const { policy, rule } = hop.authority.grant;
  return { key: `${policy}#${rule} ${hop.from} ${hop.to}`, ...rateLimit };
}
