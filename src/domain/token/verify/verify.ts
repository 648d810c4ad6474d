/**
 * Verification of a capability token that came with a request. The steps are made in this order, and the first that fails
 * names the refusal:
 *
 * 1 to 3 form (`presentation.ts`, `token.ts`), 4 to 9 the token itself (`issued.ts`), 10 its parents (`ancestry.ts`), 11 who
 * is cut off (`alive.ts`), 12 who holds it (`holder.ts`), 13 to 16 what is allowed (`permitted.ts`), 17 its use
 * (`replay-store.ts`).
 */

import { allowsUse } from '../../capability/capability-set.ts';
import type { EdgeGrant } from '../../delegation/facts.ts';
import { type CapabilityClaims, type GrantedCapability, grantedBy } from '../claims.ts';
import { isRefusal, type Refusal } from '../refusal.ts';
import { type Consumption, consume, type ReplayStore } from '../replay/replay-store.ts';
import type { Binding } from '../state/policy-file.ts';
import { consumptionOf } from './consumption.ts';
import { type Examined, examine, type TokenRefusal } from './examine.ts';
import { checkHolder, type Holder } from './holder.ts';
import { checkAsked } from './permitted.ts';
import { readPresentation } from './presentation.ts';
import type { TokenRequest, Verifier } from './verifier.ts';

/** A token that holds, and what it means. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly claims: CapabilityClaims;
  /** SPIFFE IDs of all agents of the chain, the root first, the audience last. */
  readonly path: readonly string[];
  /** When the first token of the tree was issued, in seconds since the Unix epoch. */
  readonly rootIssuedAt: number;
  /** What the presenter may ask of the audience; without what the audience only holds to pass on. */
  readonly capabilities: readonly GrantedCapability[];
  /** The rule that authorises each call, the first call first. */
  readonly grants: readonly EdgeGrant[];
  readonly binding: Binding;
  /** False when only its key spoke for the presenter, because no peer is visible here. */
  readonly isPeerSeen: boolean;
}

/** All steps but the last passed: what there is left to do is to use the token. */
export interface Judged {
  readonly kind: 'judged';
  readonly accepted: Accepted;
  readonly consumption: Consumption;
}

/** When, and where it is remembered. */
export interface VerifyOptions {
  /** Seconds since the Unix epoch. */
  readonly nowSeconds: number;
  readonly store: ReplayStore;
}

/**
 * Verifies a request and uses its token.
 *
 * @returns A promise when the store gives one.
 *
 * Errors: none; a store that fails is the refusal `store_unavailable`.
 */
export function verify(
  request: TokenRequest,
  verifier: Verifier,
  { nowSeconds, store }: VerifyOptions,
): Accepted | TokenRefusal | Promise<Accepted | TokenRefusal> {
  const judged = judge(request, verifier, nowSeconds);
  if (judged.kind === 'refused') return judged;
  const refusal = consume(store, judged.consumption);
  return refusal instanceof Promise
    ? refusal.then((late) => concluded(judged.accepted, late))
    : concluded(judged.accepted, refusal);
}

function concluded(accepted: Accepted, refusal: Refusal | undefined): Accepted | TokenRefusal {
  if (refusal === undefined) return accepted;
  return { ...refusal, claimed: { isAuthentic: true, claims: accepted.claims } };
}

/**
 * Makes steps 1 to 16. Nothing is used up.
 *
 * @param nowSeconds Seconds since the Unix epoch.
 *
 * Errors: none.
 */
export function judge(request: TokenRequest, verifier: Verifier, nowSeconds: number): Judged | TokenRefusal {
  const presentation = readPresentation(request.fields);
  if (isRefusal(presentation)) return presentation;
  const examined = examine(presentation, { verifier, nowSeconds }, (leaf, edge, judging) =>
    checkHolder(leaf, edge?.binding, { presentation, request, judging }),
  );
  if (isRefusal(examined)) return examined;
  const capabilities = invocable(examined);
  const refusal = request.asked && checkAsked(capabilities, request.asked);
  const claims = examined.leaf.claims;
  if (refusal !== undefined) return { ...refusal, claimed: { isAuthentic: true, claims } };
  return {
    kind: 'judged',
    accepted: acceptedAs(examined, capabilities),
    consumption: consumptionOf(examined, request),
  };
}

function acceptedAs(
  { leaf: { claims }, hops, holder }: Examined<Holder>,
  capabilities: readonly GrantedCapability[],
): Accepted {
  return {
    kind: 'accepted',
    claims,
    path: [...hops.map(({ from }) => from), claims.aud],
    rootIssuedAt: hops[0]?.issuedAt ?? claims.iat,
    capabilities,
    grants: hops.map(({ authority }) => authority.grant),
    binding: holder.binding,
    isPeerSeen: holder.isPeerSeen,
  };
}

/** Of what the token grants, that which the audience does not only hold to pass on. */
function invocable({ leaf, hops }: Examined<Holder>): readonly GrantedCapability[] {
  const held = hops.at(-1)?.authority.grant.capabilities ?? [];
  return grantedBy(leaf.claims).filter(({ name }) =>
    held.some((capability) => capability.name === name && allowsUse(capability.use, 'Invoke')),
  );
}
