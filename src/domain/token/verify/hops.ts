/** A chain as the calls it consists of, each with the one rule that authorises it. */

import type { Capability } from '../../capability/capability.ts';
import { allowsUse } from '../../capability/capability-set.ts';
import { resourcesContain } from '../../capability/resource.ts';
import type { EdgeGrant } from '../../delegation/facts.ts';
import { type CapabilityClaims, type GrantedCapability, grantedBy, usesOf } from '../claims.ts';
import type { TokenEdge, TokenPolicies } from '../state/policy-file.ts';
import type { Chain } from './ancestry.ts';

/** One call of a chain. */
interface Hop {
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

/** All calls of a chain, the first one first, each with its edge and the first rule that allows it in a chain of this length. */
export function authorise({ tokens }: Chain, policies: TokenPolicies): readonly AuthorisedHop[] {
  const [{ claims: first }] = tokens;
  const above = first.del_path ?? [];
  const length = above.length + tokens.length;
  const rootIssuedAt = above[0]?.iat ?? first.iat;
  const carried = grantedBy((tokens.at(-1) ?? tokens[0]).claims);
  const hops: AuthorisedHop[] = [];
  const add = ({ from, to, tokenId, issuedAt, claims }: Hop): void => {
    const edge = policies.edge(from, to);
    const passedOn = hops.length < length - 1 ? carried : [];
    const authority = authorityFor(edge, { claims, passedOn, rootIssuedAt, length });
    hops.push({ from, to, tokenId, issuedAt, claims, edge, authority });
  };
  for (const [index, { client_id: from, jti: tokenId, iat: issuedAt }] of above.entries())
    add({ from, to: above[index + 1]?.client_id ?? first.client_id, tokenId, issuedAt, claims: undefined });
  for (const { claims } of tokens)
    add({ from: claims.client_id, to: claims.aud, tokenId: claims.jti, issuedAt: claims.iat, claims });
  return hops;
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
