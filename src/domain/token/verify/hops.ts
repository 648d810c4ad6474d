/** A chain as the calls it consists of, each with the one rule that authorises it. */

import type { Capability } from '../../capability/capability.ts';
import { allowsUse } from '../../capability/capability-set.ts';
import { resourcesContain } from '../../capability/resource.ts';
import type { EdgeGrant } from '../../delegation/facts.ts';
import { type CapabilityClaims, type GrantedCapability, grantedBy, usesOf } from '../claims.ts';
import type { TokenEdge, TokenPolicies } from '../state/policy-file.ts';
import type { Chain } from './ancestry.ts';

/** One call of a chain. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  readonly tokenId: string;
  readonly issuedAt: number;
  /** Of its token; absent when only a `del_path` names it. */
  readonly claims: CapabilityClaims | undefined;
}

/** What authorises a call: a rule, no rule, or none for a chain that is so long. */
export type Authority =
  | { readonly kind: 'granted'; readonly grant: EdgeGrant }
  | { readonly kind: 'too_deep' | 'not_granted' };

/** A call with the edge it goes over, if there still is one. */
export interface AuthorisedHop extends Hop {
  readonly edge: TokenEdge | undefined;
  readonly authority: Authority;
}

/** A call that is allowed. */
export interface GrantedHop extends AuthorisedHop {
  readonly edge: TokenEdge;
  readonly authority: Extract<Authority, { kind: 'granted' }>;
}

/** What a call has to be allowed, whoever asks: verifier or minter. */
export interface Demand {
  /** Of the token of this call; absent when only a `del_path` names it. */
  readonly claims:
    | Pick<CapabilityClaims, 'authorization_details' | 'iat' | 'exp' | 'max_uses' | 'del_exp'>
    | undefined;
  /** What has to be passed on; empty for the last call. */
  readonly passedOn: readonly GrantedCapability[];
  /** When the root was issued. */
  readonly rootIssuedAt: number;
  /** Calls in the whole chain. */
  readonly length: number;
}

/** All calls of a chain, the first one first. */
export function hopsOf({ tokens }: Chain): readonly Hop[] {
  const hops: Hop[] = [];
  const above = tokens[0].claims.del_path ?? [];
  for (const [index, { client_id: from, jti: tokenId, iat: issuedAt }] of above.entries()) {
    const to = above[index + 1]?.client_id ?? tokens[0].claims.client_id;
    hops.push({ from, to, tokenId, issuedAt, claims: undefined });
  }
  for (const { claims } of tokens) {
    const { client_id: from, aud: to, jti: tokenId, iat: issuedAt } = claims;
    hops.push({ from, to, tokenId, issuedAt, claims });
  }
  return hops;
}

/** Finds for each call the edge and the first of its rules that allows it in a chain of this length. */
export function authorise(hops: readonly Hop[], policies: TokenPolicies): readonly AuthorisedHop[] {
  const leaf = hops.at(-1)?.claims;
  const carried = leaf === undefined ? [] : grantedBy(leaf);
  return hops.map(({ from, to, tokenId, issuedAt, claims }, index) => {
    const edge = policies.edge(from, to);
    const passedOn = index < hops.length - 1 ? carried : [];
    const rootIssuedAt = hops[0]?.issuedAt ?? 0;
    const authority = authorityFor(edge, { claims, passedOn, rootIssuedAt, length: hops.length });
    return { from, to, tokenId, issuedAt, claims, edge, authority };
  });
}

/** Whether every call is allowed. */
export function areGranted(hops: readonly AuthorisedHop[]): hops is readonly GrantedHop[] {
  return hops.every(({ edge, authority }) => edge !== undefined && authority.kind === 'granted');
}

/**
 * The first rule of an edge that allows a call with all of its limits; never a mix of several rules.
 *
 * @returns `too_deep` when there is such a rule, but only for shorter chains.
 */
export function authorityFor(edge: TokenEdge | undefined, demand: Demand): Authority {
  let kind: 'too_deep' | 'not_granted' = 'not_granted';
  if (edge === undefined || edge.from === edge.to) return { kind };
  for (const grant of edge.grants) {
    if (!allows(grant, demand)) continue;
    if (grant.maxDepth >= demand.length) return { kind: 'granted', grant };
    kind = 'too_deep';
  }
  return { kind };
}

function allows(grant: EdgeGrant, demand: Demand): boolean {
  const { capabilities } = grant;
  return (
    demand.passedOn.every((passed) =>
      capabilities.some((held) => covers(held, passed) && allowsUse(held.use, 'Delegate')),
    ) &&
    (demand.claims === undefined ||
      (isWithinLimits(grant, demand.claims, demand.rootIssuedAt) &&
        grantedBy(demand.claims).every((wanted) => capabilities.some((held) => covers(held, wanted)))))
  );
}

function covers({ name, resources }: Capability, wanted: GrantedCapability): boolean {
  return name === wanted.name && wanted.resources.every((pattern) => resourcesContain(resources, pattern));
}

function isWithinLimits(
  { tokens, taskTtlSeconds = 0 }: EdgeGrant,
  claims: NonNullable<Demand['claims']>,
  rootIssuedAt: number,
): boolean {
  return (
    claims.exp - claims.iat <= tokens.maxTtlSeconds &&
    usesOf(claims) <= tokens.maxUses &&
    (claims.del_exp === undefined || claims.del_exp <= rootIssuedAt + taskTtlSeconds)
  );
}
